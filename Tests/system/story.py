"""The files of Tests/stories: what happens to an Alertmanager over time, and which webhooks must come of it.

    title: An alert that joins a group waits for the group's next interval
    features: [A-DED-5]
    config: |                                     an Alertmanager's configuration; `http://pager/` is the test's receiver “pager”
      route: {receiver: pager, group_wait: 500ms, group_interval: 2s, repeat_interval: 1h}
      receivers: [{name: pager, webhook_configs: [{url: 'http://pager/'}]}]
    timeline:
    - {at: 0s, fire: [{alertname: Down, instance: a}]}
    - {at: 1s, fire: [{alertname: Down, instance: b}]}
    until: 4s                                     nothing else may come before
    expected:
    - at: 500ms
      receiver: pager
      status: firing
      reason: first_notification
      groupKey: '{}:{}'
      groupLabels: {}
      commonLabels: {alertname: Down, instance: a}
      alerts:
      - {status: firing, labels: {alertname: Down, instance: a}}

A step of the timeline is a time and one of

    fire: [labels …]          reported as firing, without times
    resolve: [labels …]       reported with endsAt = now
    post: [{labels, annotations, startsAt, endsAt, generatorURL} …]        times are the story's: -1h is an hour before it began
    silence: {name, matchers: ['a="b"' …], startsAt, endsAt, comment}      a name seen before updates that silence
    expire: NAME              ends that silence now
    reload: |                 a new configuration
    receiver: {name, does: work | answer 500 | hang | down}
    alertmanager: restart | kill | stop | start            kill: -9, then start
    alerts: [{labels, state, silencedBy, inhibitedBy} …]   what /api/v2/alerts must list now

and may say what the server must `answer`: a status, or for silences `same id` / `new id`.

Expected webhooks are compared in order for each receiver and group, `at` within `within`, the story's or
its own (600ms unless said). `to` is the
webhook where one receiver has several; `answered` is there for requests that were refused for good (4xx); `attempts: 2..4` counts those
that failed (5xx, hanging) before one that went well. `shows` adds annotations, startsAt, endsAt or generatorURL to what is compared.

Scalars are texts, whatever YAML makes of them, and there is nothing but mappings, lists and scalars: any reader can read it.
"""

import re

import yaml

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
MATCHER = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|[^=!~"\s]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^"]*?)\s*$""")
VERBS = ["fire", "resolve", "post", "silence", "expire", "reload", "receiver", "alertmanager", "alerts"]
KEYS = {"title", "features", "config", "timeline", "until", "within", "shows", "expected"}


class Story:
    def __init__(self, path):
        self.path = path
        self.name = path.rsplit("/", 1)[-1].removesuffix(".yml")
        with open(path) as file:
            self.text = file.read()
        document = yaml.load(self.text, yaml.BaseLoader)
        if set(document) - KEYS:
            raise ValueError(f"{self.name}: unknown {sorted(set(document) - KEYS)}")
        self.title = document["title"]
        self.config = document["config"]
        self.timeline = document["timeline"]
        self.until = seconds(document["until"])
        self.within = seconds(document.get("within", "600ms"))
        self.shows = document.get("shows", [])
        self.expected = document.get("expected") or []
        for step in self.timeline:
            verb(step), seconds(step["at"])

    def receivers(self):
        """Names of all receivers that configurations of the story send to."""
        return sorted(set(re.findall(r"http://([a-z0-9-]+)/", self.text)))

    def record(self, arrivals):
        """Writes what came into the file as expected."""
        text = self.text.split("\nexpected:")[0].rstrip() + "\nexpected:"
        with open(self.path, "w") as file:
            file.write(text + (" []\n" if not arrivals else "\n" + "".join(written(a) for a in arrivals)))


def verb(step):
    """The one thing that a step does."""
    verbs = [word for word in VERBS if word in step]
    if len(verbs) != 1 or set(step) - set(verbs) - {"at", "answer"}:
        raise ValueError(f"not a step: {step}")
    return verbs[0]


def seconds(text):
    """`-1h30m`, `500ms`, `0s`."""
    sign, rest = (-1, text[1:]) if text[0] in "-+" and text[0] == "-" else (1, text.lstrip("+"))
    parts = re.findall(r"(\d+)(ms|[smhd])", rest)
    if not parts or "".join(a + b for a, b in parts) != rest:
        raise ValueError(f"not a duration: {text}")
    return sign * sum(int(number) * UNITS[unit] for number, unit in parts)


def matcher(text):
    """`instance=~"a|b"` as the API's matcher."""
    match = MATCHER.match(text)
    if not match:
        raise ValueError(f"not a matcher: {text}")
    name, operator, value = (unquoted(part) for part in match.groups())
    return {"name": name, "value": value, "isRegex": "~" in operator, "isEqual": operator[0] == "="}


def unquoted(text):
    if not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text[1:-1])


# MARK: Writing


def written(arrival):
    lines = [f"at: {round(arrival['at'] * 10) * 100}ms"]
    for key in ("to", "answered", "receiver", "status", "reason", "groupKey"):
        if key in arrival:
            lines.append(f"{key}: {scalar(arrival[key])}")
    if "attempts" in arrival:
        lines.append(f"attempts: {arrival['attempts']}..{arrival['attempts']}")
    for key in ("groupLabels", "commonLabels"):
        lines.append(f"{key}: {flow(arrival[key])}")
    if "truncatedAlerts" in arrival:
        lines.append(f"truncatedAlerts: {arrival['truncatedAlerts']}")
    lines.append("alerts:")
    lines += [f"- {flow(alert)}" for alert in arrival["alerts"]]
    return "- " + "\n  ".join(lines) + "\n"


def flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    return scalar(value)


def scalar(value):
    text = str(value)
    plain = re.fullmatch(r"[\w./-]+([\w./: -]*[\w./-])?", text) and ": " not in text and text[0] not in "-:"
    return text if plain else "'" + text.replace("'", "''") + "'"
