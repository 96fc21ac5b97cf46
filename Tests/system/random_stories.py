#!/usr/bin/env python3
"""Writes stories that chance made up: more combinations than anybody thinks of. The original says what must come of them.

    Tests/system/random_stories.py --count 60 --seed 7 --folder /tmp/random
    Tests/system/stories.py --folder /tmp/random --record                  plays them on the original, writes down what it told
    MINPROM_STORIES=/tmp/random swift test --filter StoryTests             and our machine must tell the same
    Tests/system/stories.py --folder /tmp/random --alertmanager '.build/release/minprom alertmanager'

What happens at one moment has no order, so nothing may: events come at multiples of 500 ms, and with a group_wait of 1250 ms and intervals
of 2 s every flush is 250 ms away from all of them. A reload makes groups anew at its own time; from then on events come at the
other multiples of 250 ms. Ends of alerts and silences lie 125 ms beside both.
"""

import argparse
import os
import random

LABELS = {"alertname": ["Down", "Slow"], "instance": ["a", "b", "c"], "severity": ["page", "warn"], "cluster": ["", "x"]}
RECEIVERS = ["pager", "chat", "mail"]


def alert(chance):
    labels = {name: chance.choice(values) for name, values in LABELS.items()}
    return {name: value for name, value in labels.items() if value}


def matcher(chance):
    name = chance.choice(list(LABELS))
    value = chance.choice(LABELS[name])
    operator = chance.choice(["=", "=", "!=", "=~", "!~"])
    return f'{name}{operator}"{value if operator in ("=", "!=") else chance.choice([value, ".+", value + "|b"])}"'


def quoted(texts):
    return "[" + ", ".join("'" + text + "'" for text in texts) + "]"


def route(chance, depth):
    """A child route as a flow mapping."""
    words = [f"matchers: {quoted(matcher(chance) for _ in range(chance.choice([1, 1, 2])))}"]
    if chance.random() < 0.7:
        words.append(f"receiver: {chance.choice(RECEIVERS)}")
    if chance.random() < 0.3:
        words.append("continue: true")
    if chance.random() < 0.4:
        words.append(f"group_by: {chance.choice(['[alertname]', '[cluster, severity]', '[instance]', chr(91) + chr(39) + '...' + chr(39) + chr(93)])}")
    if chance.random() < 0.2:
        words.append(f"repeat_interval: {chance.choice(['3s', '1h'])}")
    if chance.random() < 0.1:
        words.append("mute_time_intervals: [always]")
    if depth and chance.random() < 0.5:
        words.append("routes: [" + ", ".join(route(chance, depth - 1) for _ in range(chance.choice([1, 2]))) + "]")
    return "{" + ", ".join(words) + "}"


def configuration(chance):
    lines = ["route:", "  receiver: pager", f"  group_by: {chance.choice(['[]', '[alertname]', '[alertname, cluster]', '[severity]'])}"]
    lines += ["  group_wait: 1250ms", "  group_interval: 2s", f"  repeat_interval: {chance.choice(['3s', '1h', '1h'])}", "  routes:"]
    lines += [f"  - {route(chance, 2)}" for _ in range(chance.choice([1, 2, 3]))]
    lines += ["receivers:"]
    for name in RECEIVERS:
        resolved = chance.choice(["", "", ", send_resolved: false"])
        second = f", {{url: 'http://second-{name}/'{chance.choice(['', ', send_resolved: false'])}}}" if chance.random() < 0.2 else ""
        lines.append(f"- {{name: {name}, webhook_configs: [{{url: 'http://{name}/'{resolved}}}{second}]}}")
    if chance.random() < 0.6:
        lines.append("inhibit_rules:")
        # One source for each target: of several the original knows one, and may forget the one that counts (stories/ours/inhibit-*).
        source, target = chance.sample(LABELS["alertname"], 2)
        lines.append(f"- {{source_matchers: [alertname={source}], target_matchers: [alertname={target}], equal: [instance, severity, cluster]}}")
    lines += ["time_intervals:", "- {name: always, time_intervals: [{years: ['2000:2500']}]}"]
    return lines


class Timeline:
    def __init__(self, chance):
        self.chance, self.now, self.lines = chance, 0, []
        self.alerts, self.silences, self.failing = [], [], set()
        # The original's groups have alerts again after a reload that ended long before (stories/ours/reload-*): none may have.
        self.has_ended = False

    def add(self, text):
        self.lines.append(f"- {{at: {self.now}ms, {text}}}")

    def later(self):
        """A time to come, beside all events and flushes."""
        return f"{self.now + 500 * self.chance.randrange(2, 12) + 125}ms"

    def event(self):
        chance, kind = self.chance, self.chance.random()
        if kind < 0.35 or not self.alerts:
            # One request each: the original's workers take the alerts of one request in any order.
            for one in (alert(chance) for _ in range(chance.choice([1, 1, 2, 3]))):
                self.alerts.append(one)
                self.add(f"fire: [{flow(one)}]")
        elif kind < 0.6:
            for one in chance.sample(self.alerts, min(len(self.alerts), chance.choice([1, 1, 2]))):
                self.add(f"resolve: [{flow(one)}]")
                self.has_ended = True
        elif kind < 0.7:
            one = chance.choice(self.alerts) if chance.random() < 0.5 else alert(chance)
            self.alerts.append(one)
            self.has_ended = True
            self.add(f"post: [{{labels: {flow(one)}, startsAt: {self.now}ms, endsAt: {self.later()}}}]")
        elif kind < 0.8:
            name = f"silence-{len(self.silences)}"
            self.silences.append(name)
            starts = f"{self.now}ms" if chance.random() < 0.7 else None
            ends = self.now + 500 * chance.randrange(12, 24) + 125
            matchers = quoted({f'{n}="{chance.choice([v for v in LABELS[n] if v])}"' for n in chance.sample(list(LABELS), chance.choice([1, 1, 2]))})
            self.add(f"silence: {{name: {name}, matchers: {matchers}, startsAt: {starts or self.later()}, endsAt: {ends}ms}}")
        elif kind < 0.86 and self.silences:
            self.add(f"expire: {self.silences.pop(chance.randrange(len(self.silences)))}")
        elif kind < 0.92:
            name = chance.choice(RECEIVERS)
            self.failing ^= {name}
            self.add(f"receiver: {{name: {name}, does: {'answer 400' if name in self.failing else 'work'}}}")
        elif kind < 0.96 and not self.has_ended:
            # Every alert is older than group_wait now. Otherwise it is chance which alert makes a group first, an old one or a young one,
            # and so whether the original tells at once or waits.
            self.now += 1500
            self.lines.append(f"- at: {self.now}ms\n  reload: |\n" + "\n".join("    " + line for line in configuration(chance)))
            self.now += 250
        else:
            self.add("alertmanager: restart")
            self.now += 1000


def flow(labels):
    return "{" + ", ".join(f"{k}: {v}" for k, v in labels.items()) + "}"


def story(seed):
    chance = random.Random(seed)
    config = configuration(chance)
    timeline = Timeline(chance)
    while timeline.now < 9000:
        timeline.event()
        timeline.now += 500 * chance.choice([0, 1, 1, 2, 3])
    return (
        f"title: What chance made of {seed}\nconfig: |\n" + "\n".join("  " + line for line in config)
        + "\ntimeline:\n" + "\n".join(timeline.lines) + f"\nuntil: {timeline.now + 2125}ms\nexpected: []\n"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", required=True)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    for number in range(options.count):
        with open(f"{options.folder}/random-{options.seed + number}.yml", "w") as file:
            file.write(story(options.seed + number))
    print(f"{options.count} stories in {options.folder}, from seed {options.seed}")


if __name__ == "__main__":
    main()
