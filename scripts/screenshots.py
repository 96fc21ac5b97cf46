#!/usr/bin/env python3
"""The pictures of docs/images, of a real incident in a running stack (`minprom demo`).

    scripts/screenshots.py [--minprom .build/release/minprom] [--images docs/images] [--browser /usr/bin/chromium]

Breaks the api (`minprom incident latency --watch`) and takes each page when there is something to see on it:

    alert fires     alerts.png      /alerts with APIHighLatency
    resolved        query.png       p95 of /health from fault to cure
                    bot-light.png, bot-dark.png    what the bot heard, decided and did

Needs Python's playwright and a Chromium; nothing else here does. Ends with code 1 if the incident did not heal or a page had errors.
"""
import argparse
import os
import subprocess
import sys
import urllib.parse

from playwright.sync_api import sync_playwright

P95 = 'histogram_quantile(0.95, sum by (le) (rate(flask_http_request_duration_seconds_bucket{path="/health"}[1m])))'
# More is a burden to whoever clones the repository.
MAXIMUM_BYTES = 150_000


class Camera:
    def __init__(self, browser, folder):
        self.browser, self.folder, self.problems = browser, folder, []

    def take(self, name, url, ready, height, theme="light", opens=False):
        """`ready`: a selector that is there when the page has its data; `opens`: it is clicked on."""
        context = self.browser.new_context(viewport={"width": 1200, "height": height}, color_scheme=theme)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"{name}: {error}"))
        page.on("console", lambda message: message.type == "error" and self.problems.append(f"{name}: {message.text}"))
        page.goto(url)
        page.wait_for_selector(ready, timeout=15_000)
        if opens:
            page.click(ready)
        # Graphs are drawn a frame after their data has come.
        page.wait_for_timeout(700)
        path = os.path.join(self.folder, name + ".png")
        page.screenshot(path=path, animations="disabled")
        context.close()
        size = os.path.getsize(path)
        print(f"{path}  {size >> 10} KiB", flush=True)
        if size > MAXIMUM_BYTES:
            self.problems.append(f"{name}: {size} bytes are more than {MAXIMUM_BYTES}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minprom", default=".build/release/minprom")
    parser.add_argument("--images", default="docs/images")
    parser.add_argument("--browser", default="/usr/bin/chromium")
    parser.add_argument("--url", default="http://localhost:9090")
    parser.add_argument("--bot-url", default="http://localhost:5001")
    options = parser.parse_args()
    os.makedirs(options.images, exist_ok=True)
    graph = options.url + "/query?" + urllib.parse.urlencode({"g0.expr": P95, "g0.tab": "graph", "g0.range_input": "3m"})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser, args=["--no-sandbox"])
        camera = Camera(browser, options.images)
        incident = subprocess.Popen(
            [options.minprom, "incident", "latency", "--watch", "--wait", "12m", "--prometheus-url", options.url, "--bot-url", options.bot_url],
            stdout=subprocess.PIPE, text=True)
        for line in incident.stdout:
            print(line, end="", flush=True)
            if "APIHighLatency pending → firing" in line:
                camera.take("alerts", options.url + "/alerts", "summary:has-text('APIHighLatency')", 620, opens=True)
            elif "bot: resolved" in line:
                camera.take("query", graph, ".uplot canvas", 640)
        if incident.wait() != 0:
            camera.problems.append("the incident did not heal")
        for theme in ("light", "dark"):
            camera.take(f"bot-{theme}", options.bot_url + "/", "text=APIHighLatency", 560, theme)
        browser.close()
    for problem in camera.problems:
        print(f"problem: {problem}")
    sys.exit(1 if camera.problems else 0)


if __name__ == "__main__":
    main()
