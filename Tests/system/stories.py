#!/usr/bin/env python3
"""Plays the stories of Tests/stories against an Alertmanager in real time, many at once, each with a process and receivers of its own.

    Tests/system/stories.py                                              the original: $ANCHORS/prometheus-alertmanager
    Tests/system/stories.py --alertmanager '.build/release/minprom alertmanager' --ours
    Tests/system/stories.py --only inhibit --verbose                     those with “inhibit” in their names
    Tests/system/stories.py --only inhibit --record                      writes what the original did into the files (then read it!)

A story is told in story.py. Every webhook is checked against what its story expects, and against what always holds: version 4, the
right fingerprints, a status that fits the alerts. Needs PyYAML.
"""

import argparse
import asyncio
import datetime
import glob
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time

import story as stories
import webhooks

ORIGINAL = os.environ.get("ANCHORS", "/usr/bin") + "/prometheus-alertmanager --cluster.listen-address="
HERE = os.path.dirname(os.path.abspath(__file__))


class Difference(Exception):
    pass


class Player:
    """One story, one Alertmanager, its receivers."""

    def __init__(self, story, command, ports, directory, starting):
        self.story, self.command, self.directory = story, command, directory
        self.ports, self.port = ports, ports.take()
        self.starting = starting
        self.recorders = {}
        self.silences = {}
        self.problems = []
        self.process = None

    # MARK: The Alertmanager

    async def start(self):
        self.log = open(self.directory + "/log", "ab")
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            f"--config.file={self.directory}/alertmanager.yml",
            f"--storage.path={self.directory}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            stdout=self.log,
            stderr=self.log,
        )
        await webhooks.until_ready(self.port, self.process)

    async def end(self, number=signal.SIGTERM):
        if self.process and self.process.returncode is None:
            self.process.send_signal(number)
            try:
                await asyncio.wait_for(self.process.wait(), 15)
            except TimeoutError:
                self.problems.append("does not end when asked to")
                self.process.kill()
                await self.process.wait()

    def configure(self, text):
        for name, recorder in self.recorders.items():
            text = text.replace(f"http://{name}/", f"http://127.0.0.1:{recorder.port}/")
        with open(self.directory + "/alertmanager.yml", "w") as file:
            file.write(text)

    async def ask(self, method, path, body=None):
        return await webhooks.request(self.port, method, path, body)

    # MARK: The timeline

    async def play(self):
        """The webhooks that came, as the story's `expected` would write them."""
        for name in self.story.receivers():
            self.recorders[name] = await webhooks.Recorder(name, self.ports.take()).listen()
        try:
            self.configure(self.story.config)
            async with self.starting:  # one at a time: starting is what costs most, and the others' clocks run
                await self.start()
            self.began, self.began_at = time.monotonic() + 0.02, time.time() + 0.02
            for step in self.story.timeline:
                await self.wait(stories.seconds(step["at"]))
                late = time.monotonic() - self.began - stories.seconds(step["at"])
                if late > self.story.within and "alertmanager" not in step:
                    self.problems.append(f"the test was late by {late:.2f} s at {step['at']}")
                try:
                    await self.perform(step)
                except Difference as difference:
                    self.problems.append(f"at {step['at']}: {difference}")
            await self.wait(self.story.until)
            return self.told()
        finally:
            await self.end()
            for recorder in self.recorders.values():
                await recorder.close()
                self.ports.give_back(recorder.port)
            self.ports.give_back(self.port)

    async def wait(self, until):
        await asyncio.sleep(max(0, self.began + until - time.monotonic()))

    async def perform(self, step):
        verb = stories.verb(step)
        subject = step[verb]
        status, answer, expected = 200, b"", step.get("answer", "200")
        if verb == "fire":
            status, answer = await self.ask("POST", "/api/v2/alerts", [{"labels": labels} for labels in subject])
        elif verb == "resolve":
            now = rfc3339(time.time())
            status, answer = await self.ask("POST", "/api/v2/alerts", [{"labels": l, "endsAt": now} for l in subject])
        elif verb == "post":
            status, answer = await self.ask("POST", "/api/v2/alerts", [self.postable(alert) for alert in subject])
        elif verb == "silence":
            status, answer = await self.silence(subject, step)
            expected = "200" if expected in ("same id", "new id") else expected
        elif verb == "expire":
            status, answer = await self.ask("DELETE", "/api/v2/silence/" + self.silences[subject])
        elif verb == "reload":
            self.configure(subject)
            status, answer = await self.ask("POST", "/-/reload")
        elif verb == "receiver":
            await self.behave(self.recorders[subject["name"]], subject["does"])
        elif verb == "alertmanager":
            if subject in ("restart", "kill", "stop"):
                await self.end(signal.SIGKILL if subject == "kill" else signal.SIGTERM)
            if subject != "stop":
                await self.start()
        elif verb == "alerts":
            await self.check_alerts(subject)
        if str(status) != expected:
            raise Difference(f"{verb} was answered {status} {answer[:200]!r}, not {expected}")

    async def behave(self, recorder, behaviour):
        if behaviour == "down":
            await recorder.close()
        else:
            recorder.behaviour = behaviour
            if recorder.server is None:
                await recorder.listen()

    def postable(self, alert):
        posted = {"labels": alert["labels"], "annotations": alert.get("annotations", {})}
        for key in ("startsAt", "endsAt"):
            if key in alert:
                posted[key] = rfc3339(self.began_at + stories.seconds(alert[key]))
        if "generatorURL" in alert:
            posted["generatorURL"] = alert["generatorURL"]
        return posted

    async def silence(self, silence, step):
        name = silence["name"]
        body = {
            "matchers": [stories.matcher(text) for text in silence["matchers"]],
            "startsAt": rfc3339(self.began_at + stories.seconds(silence["startsAt"])),
            "endsAt": rfc3339(self.began_at + stories.seconds(silence["endsAt"])),
            "createdBy": "story",
            "comment": silence.get("comment", name),
        }
        before = self.silences.get(name)
        if before:
            body["id"] = before
        status, answer = await self.ask("POST", "/api/v2/silences", body)
        if status == 200:
            self.silences[name] = json.loads(answer)["silenceID"]
            kind = "same id" if self.silences[name] == before else "new id"
            if step.get("answer", kind) not in (kind, "200"):
                raise Difference(f"the silence has a {kind}")
        return status, answer

    async def check_alerts(self, expected):
        _, answer = await self.ask("GET", "/api/v2/alerts")
        names = {identity: name for name, identity in self.silences.items()}
        fingerprints = {}
        alerts = json.loads(answer)
        for alert in alerts:
            fingerprints[alert["fingerprint"]] = text_of(alert["labels"])
        found = {}
        for alert in alerts:
            status = alert["status"]
            silenced = sorted(names.get(i, i) for i in status["silencedBy"])
            inhibited = sorted(fingerprints.get(i, i) for i in status["inhibitedBy"])
            found[text_of(alert["labels"])] = (status["state"], silenced, inhibited)
        wanted = {}
        for alert in expected:
            inhibited = sorted(text_of(labels) for labels in alert.get("inhibitedBy", []))
            wanted[text_of(alert["labels"])] = (alert["state"], sorted(alert.get("silencedBy", [])), inhibited)
        if found != wanted:
            raise Difference(f"alerts are\n    {found}, not\n    {wanted}")

    # MARK: What came

    def told(self):
        arrivals = sorted((a for r in self.recorders.values() for a in r.arrivals), key=lambda a: a.time)
        failed = {}
        result = []
        for arrival in arrivals:
            body = arrival.body
            thread = (arrival.to, body.get("groupKey"))
            if arrival.answered is None or arrival.answered >= 500:
                failed[thread] = failed.get(thread, 0) + 1
                continue
            self.check_always(body)
            one = {"at": arrival.time - self.began}
            if arrival.to != body["receiver"]:
                one["to"] = arrival.to
            if arrival.answered != 200:
                one["answered"] = arrival.answered
            one |= {"receiver": body["receiver"], "status": body["status"], "reason": body.get("notification_reason", "")}
            if thread in failed:
                one["attempts"] = failed.pop(thread) + 1
            one |= {key: body[key] for key in ("groupKey", "groupLabels", "commonLabels")}
            if body["truncatedAlerts"]:
                one["truncatedAlerts"] = body["truncatedAlerts"]
            one["alerts"] = [self.alert(alert) for alert in body["alerts"]]
            result.append(one)
        return result

    def alert(self, alert):
        one = {"status": alert["status"], "labels": alert["labels"]}
        for key in self.story.shows:
            if key in ("startsAt", "endsAt"):
                moment = instant(alert[key])
                one[key] = "never" if moment is None else story_time(moment - self.began_at)
            else:
                one[key] = alert[key]
        return one

    def check_always(self, body):
        if body["version"] != "4":
            self.problems.append(f"version {body['version']}")
        for alert in body["alerts"]:
            if alert["fingerprint"] != fingerprint(alert["labels"]):
                self.problems.append(f"fingerprint {alert['fingerprint']} of {alert['labels']}")
        firing = any(alert["status"] == "firing" for alert in body["alerts"])
        if (body["status"] == "firing") != firing:
            self.problems.append(f"status {body['status']} over {[a['status'] for a in body['alerts']]}")


# MARK: Comparing


def compare(story, told):
    """What differs, one line each. Order counts for each receiver's group; across them there is none."""
    problems = []
    threads = {}
    for side, arrivals in (("expected", story.expected), ("told", told)):
        for arrival in arrivals:
            thread = threads.setdefault((arrival.get("to", arrival["receiver"]), arrival["groupKey"]), {"expected": [], "told": []})
            thread[side].append(arrival)
    for (to, key), thread in threads.items():
        for number in range(max(len(thread["expected"]), len(thread["told"]))):
            place = f"{to} {key} #{number + 1}"
            if number >= len(thread["told"]):
                problems.append(f"{place}: never came: {brief(thread['expected'][number])}")
            elif number >= len(thread["expected"]):
                problems.append(f"{place}: not expected: {brief(thread['told'][number])}")
            else:
                problems += (f"{place}: {text}" for text in differences(story, thread["expected"][number], thread["told"][number]))
    return problems


def differences(story, expected, told):
    at = stories.seconds(expected["at"])
    within = stories.seconds(expected["within"]) if "within" in expected else story.within
    if abs(told["at"] - at) > within:
        yield f"came at {told['at']:.2f} s, not {expected['at']}"
    least, _, most = expected.get("attempts", "1..1").partition("..")
    if not int(least) <= told.get("attempts", 1) <= int(most):
        yield f"{told.get('attempts', 1)} attempts, not {expected.get('attempts', 1)}"
    for field in ("answered", "receiver", "status", "reason", "groupLabels", "commonLabels", "truncatedAlerts"):
        a, b = expected.get(field, ""), told.get(field, "")
        if (a if isinstance(a, dict) else str(a)) != (b if isinstance(b, dict) else str(b)):
            yield f"{field} is {b}, not {a}"
    a, b = expected["alerts"], told["alerts"]
    if len(a) != len(b) or any(not same_alert(story, x, y) for x, y in zip(a, b)):
        yield "alerts are\n      " + "\n      ".join(map(stories.flow, b)) + "\n    not\n      " + "\n      ".join(map(stories.flow, a))


def same_alert(story, expected, told):
    for key in told:
        if key in ("startsAt", "endsAt"):
            a, b = expected.get(key), told[key]
            if a != b and (a in (None, "never") or b == "never" or abs(stories.seconds(a) - stories.seconds(b)) > story.within):
                return False
        elif expected.get(key) != told[key]:
            return False
    return True


def brief(arrival):
    at = arrival["at"] if isinstance(arrival["at"], str) else f"{arrival['at']:.2f} s"
    return f"{at} {arrival['status']} ({arrival.get('reason')}) " + ", ".join(
        f"{text_of(a['labels'])} {a['status']}" for a in arrival["alerts"]
    )


def text_of(labels):
    return "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items())) + "}"


def fingerprint(labels):
    value = 0xCBF29CE484222325
    for name, text in sorted(labels.items(), key=lambda pair: pair[0].encode()):
        for byte in name.encode() + b"\xff" + text.encode() + b"\xff":
            value = (value ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return f"{value:016x}"


def rfc3339(moment):
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text):
    """Seconds since the epoch; `None` for Go's zero time."""
    if text.startswith("0001-"):
        return None
    text = re.sub(r"\.(\d+)", lambda m: "." + (m[1] + "000000")[:6], text)
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def story_time(offset):
    """As a story writes it, rounded to a tenth."""
    tenths = round(offset * 10)
    return ("-" if tenths < 0 else "") + f"{abs(tenths) * 100}ms"


# MARK: All of them


async def run(story, options, ports, starting):
    directory = tempfile.mkdtemp(prefix=f"story-{story.name}-")
    player = Player(story, shlex.split(options.alertmanager), ports, directory, starting)
    try:
        told = await player.play()
    except Exception as error:
        return story, [f"{type(error).__name__}: {error}"], [], directory
    if options.record:
        story.record(told)
        return story, player.problems, told, directory
    return story, player.problems + compare(story, told), told, directory


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alertmanager", default=ORIGINAL, help="the command, without the three flags that the test gives it")
    parser.add_argument("--only", default="", help="stories with this in their names")
    parser.add_argument("--record", action="store_true", help="write what happens as expected")
    parser.add_argument("--jobs", type=int, default=12, help="stories played at once")
    parser.add_argument("--ports", default="20000-28000", help="where to listen")
    parser.add_argument("--folder", default=HERE + "/../stories")
    parser.add_argument("--ours", action="store_true", help="also those where we do better than the original")
    parser.add_argument("--verbose", action="store_true", help="show every webhook")
    options = parser.parse_args()
    if not shutil.which(shlex.split(options.alertmanager)[0]):
        parser.error(f"there is no {shlex.split(options.alertmanager)[0]}; set ANCHORS or --alertmanager")

    paths = sorted(glob.glob(options.folder + "/*.yml") + (glob.glob(options.folder + "/ours/*.yml") if options.ours else []))
    chosen = [stories.Story(path) for path in paths if options.only in os.path.basename(path)]
    slots = asyncio.Semaphore(options.jobs)
    starting = asyncio.Semaphore(1)
    ports = webhooks.Ports(options.ports)
    failures = []
    began = time.monotonic()

    async def one(story):
        async with slots:
            story, problems, told, directory = await run(story, options, ports, starting)
        print(("FAIL" if problems else "ok  "), story.name.ljust(44), story.title)
        for problem in problems:
            print("    " + problem)
        if options.verbose:
            for arrival in told:
                print("    · " + brief(arrival))
        if problems:
            failures.append(story.name)
            print(f"    log: {directory}/log")
        else:
            shutil.rmtree(directory, ignore_errors=True)

    await asyncio.gather(*map(one, chosen))
    print(f"{len(chosen) - len(failures)} of {len(chosen)} stories as expected, {time.monotonic() - began:.0f} s")
    return 1 if failures or not chosen else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
