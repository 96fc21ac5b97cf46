#!/usr/bin/env python3
"""Alerting end to end under faults: nothing lost, nothing told twice, nothing told wrongly, others not held up.

    Tests/system/alerting.py                                     Prometheus and Alertmanager ($ANCHORS), as a pair
    Tests/system/alerting.py --minprom .build/release/minprom    one minprom with its Alertmanager half
    Tests/system/alerting.py --rules .build/release/minprom      our rules with the real Alertmanager (--alerts: the other way)
    Tests/system/alerting.py --only kill

A real exporter is scraped, real rules fire, real webhooks come (alertlab.py). Each experiment has servers of its own and is played
beside a few others. The table says what happened; the exit status is 1 if a goal was missed.
"""

import argparse
import asyncio
import os
import sys
import time

import alertlab
import webhooks

EXPERIMENTS = []


def experiment(name, goal):
    """Registers `async def play(lab) -> (what happened, whether the goal was met)`."""

    def register(play):
        EXPERIMENTS.append((name, goal, play))
        return play

    return register


def seconds(value):
    return "never" if value is None else f"{value:.1f} s"


def duplicates(lab, receiver, name):
    """Notifications of firing beyond the first between two of resolved."""
    count = extra = 0
    for _, status, _ in lab.told(receiver, name):
        count = count + 1 if status == "firing" else 0
        extra += count > 1
    return extra


# MARK: Receivers that fail


async def outage(lab, behaviour, length, bound):
    """Fires into an outage of the pager's; what came of it, and of the chat's alerts and the rules meanwhile."""
    pager, chat = lab.receivers["pager"], lab.receivers["chat"]
    if behaviour == "down":
        await pager.close()
    else:
        pager.behaviour = behaviour
    began = time.monotonic()
    lab.exporter.set("problem", 1, team="a")
    await asyncio.sleep(length / 3)
    asked = time.monotonic()
    lab.exporter.set("problem", 1, team="b")
    ages = []
    while time.monotonic() - began < length:
        ages.append(await lab.evaluation_age())
        await asyncio.sleep(0.2)
    attempts = len(pager.arrivals)
    pager.behaviour = "work"
    if behaviour == "down":
        await pager.listen()
    recovered = time.monotonic()
    delivered = await lab.until(lambda: lab.told("pager", "Problem", "firing"), 20)
    await asyncio.sleep(3)
    twice = duplicates(lab, "pager", "Problem")
    other = next((t - asked for t, _, _ in lab.told("chat", "Problem")), None)
    lag = max(ages) - alertlab.INTERVAL
    met = delivered is not None and delivered <= bound and twice <= 1 and other is not None and other <= 3 and lag <= alertlab.INTERVAL
    return (
        f"told {seconds(delivered)} after recovery, {twice} twice"
        + (f", {attempts} attempts before" if attempts else "")
        + f"; the other receiver after {seconds(other)}, rules late by {max(0, lag):.1f} s",
        met,
    )


@experiment("receiver down for 12 s", "told ≤ 2 s after, ≤ 1 twice, others on time")
async def receiver_down(lab):
    return await outage(lab, "down", 12, 2)


@experiment("receiver answers 500 for 8 s", "told ≤ 2 s after, ≤ 1 twice, others on time")
async def receiver_fails(lab):
    return await outage(lab, "answer 500", 8, 2)


@experiment("receiver hangs for 12 s", "told ≤ 10 s after, ≤ 1 twice, others on time")
async def receiver_hangs(lab):
    return await outage(lab, "hang", 12, 10)


@experiment("resolved while the receiver is down", "told as firing before, as resolved after")
async def resolved_in_outage(lab):
    lab.exporter.set("problem", 1, team="a")
    await lab.until(lambda: lab.told("pager", "Problem", "firing"), 10)
    await lab.receivers["pager"].close()
    lab.exporter.set("problem", 0, team="a")
    await asyncio.sleep(6)
    await lab.receivers["pager"].listen()
    delivered = await lab.until(lambda: lab.told("pager", "Problem", "resolved"), 20)
    return f"resolved told {seconds(delivered)} after recovery", delivered is not None


@experiment("fires and ends while the receiver is down", "nothing false is told")
async def blip_in_outage(lab):
    await lab.receivers["pager"].close()
    lab.exporter.set("problem", 1, team="a")
    await asyncio.sleep(4)
    lab.exporter.set("problem", 0, team="a")
    await asyncio.sleep(2)
    await lab.receivers["pager"].listen()
    await asyncio.sleep(12)
    statuses = [status for _, status, _ in lab.told("pager", "Problem")]
    return f"told {statuses or 'nothing'}", statuses in ([], ["firing", "resolved"])


# MARK: kill -9


@experiment("kill -9 while pending", "told once, nothing false")
async def kill_pending(lab):
    lab.exporter.set("slow", 1, team="a")
    await lab.until_state("Slow", "pending")
    await asyncio.sleep(1)
    await lab.kill()
    return await after_kill(lab, "Slow", 14)


@experiment("kill -9 while firing, not yet told", "told once, nothing false")
async def kill_firing(lab):
    lab.exporter.set("problem", 1, team="a")
    await lab.until_state("Problem", "firing")
    await lab.kill()
    return await after_kill(lab, "Problem", 12)


@experiment("kill -9 after it was told", "not told again, nothing false")
async def kill_told(lab):
    lab.exporter.set("problem", 1, team="a")
    await lab.until(lambda: lab.told("pager", "Problem", "firing"), 10)
    await asyncio.sleep(0.5)
    await lab.kill()
    return await after_kill(lab, "Problem", 12)


@experiment("kill -9 while the receiver is down", "told once when it is back")
async def kill_in_outage(lab):
    await lab.receivers["pager"].close()
    lab.exporter.set("problem", 1, team="a")
    await lab.until_state("Problem", "firing")
    await asyncio.sleep(2)
    await lab.kill()
    await asyncio.sleep(1)
    await lab.receivers["pager"].listen()
    return await after_kill(lab, "Problem", 16)


async def after_kill(lab, name, wait):
    await asyncio.sleep(wait)
    told = [status for _, status, _ in lab.told("pager", name)]
    twice, false = duplicates(lab, "pager", name), told.count("resolved")
    lost = not told
    return f"{'lost' if lost else 'told'}, {twice} twice, {false} false resolved", not lost and twice == 0 and false == 0


@experiment("silence, then kill -9", "the silence lives, its alert is not told")
async def kill_silence(lab):
    identity = await lab.silence(alertname="Problem")
    await lab.kill()
    lab.exporter.set("problem", 1, team="a")
    await asyncio.sleep(10)
    status, _ = await lab.ask(lab.alerts, "GET", f"/api/v2/silence/{identity}")
    told = len(lab.told("pager", "Problem"))
    return f"the silence {'lives' if status == 200 else 'is lost'}, told {told} times", status == 200 and told == 0


@experiment("expired silence, then kill -9", "it stays expired, the alert is told")
async def kill_expired_silence(lab):
    identity = await lab.silence(alertname="Problem")
    await lab.ask(lab.alerts, "DELETE", f"/api/v2/silence/{identity}")
    await lab.kill()
    lab.exporter.set("problem", 1, team="a")
    await asyncio.sleep(12)
    told = len(lab.told("pager", "Problem"))
    return f"told {told} times", told == 1


@experiment("resolved while killed", "told as resolved")
async def resolved_while_killed(lab):
    lab.exporter.set("problem", 1, team="a")
    await lab.until(lambda: lab.told("pager", "Problem", "firing"), 10)
    await asyncio.sleep(0.5)
    await lab.end(9)
    lab.exporter.set("problem", 0, team="a")
    await asyncio.sleep(2)
    await lab.start()
    delivered = await lab.until(lambda: lab.told("pager", "Problem", "resolved"), 15)
    return f"resolved told {seconds(delivered)} after the start, {duplicates(lab, 'pager', 'Problem')} twice", delivered is not None


@experiment("for: 20s, killed half way, 2 s down", "fires ≤ 25 s after it began")
async def kill_half_way(lab):
    began = time.monotonic()
    lab.exporter.set("long", 1, team="a")
    await lab.until_state("Long", "pending")
    await asyncio.sleep(10 - (time.monotonic() - began))
    await lab.kill(2)
    await lab.until(lambda: lab.told("pager", "Long", "firing"), 25)
    told = next((t - began for t, _, _ in lab.told("pager", "Long", "firing")), None)
    return f"told after {seconds(told)}", told is not None and 19 <= told <= 25


@experiment("clean restart after it was told", "not told again, its end is")
async def clean_restart(lab):
    lab.exporter.set("problem", 1, team="a")
    await lab.until(lambda: lab.told("pager", "Problem", "firing"), 10)
    await lab.end(15)
    await lab.start()
    await asyncio.sleep(10)
    twice = duplicates(lab, "pager", "Problem")
    lab.exporter.set("problem", 0, team="a")
    delivered = await lab.until(lambda: lab.told("pager", "Problem", "resolved"), 10)
    return f"{twice} twice, resolved told after {seconds(delivered)}", twice == 0 and delivered is not None


# MARK: Many


@experiment("10,000 alerts at once, receiver takes 1 s per call", "all told, other receiver on time, ≤ +100 MB")
async def storm(lab):
    lab.receivers["pager"].behaviour = "answer after 1s"
    await asyncio.sleep(2)
    before = lab.resident()
    for i in range(10_000):
        lab.exporter.set("storm", 1, bucket=i % 100, i=i, team="a")
    began = time.monotonic()
    await asyncio.sleep(1)
    lab.exporter.set("problem", 1, team="b")
    asked, largest = time.monotonic(), 0

    def all_told():
        nonlocal largest
        largest = max(largest, lab.resident())
        return len({labels["i"] for _, _, labels in lab.told("pager", "Storm", "firing")}) == 10_000

    while time.monotonic() - began < 60 and not all_told():
        await asyncio.sleep(0.5)
    count = len({labels["i"] for _, _, labels in lab.told("pager", "Storm", "firing")})
    took = time.monotonic() - began
    other = next((t - asked for t, _, _ in lab.told("chat", "Problem")), None)
    growth = (largest - before) / 1e6
    return (
        f"{count} told in {took:.1f} s; the other receiver after {seconds(other)}; +{growth:.0f} MB",
        count == 10_000 and other is not None and other <= 5 and growth <= 100,
    )


# MARK: All of them


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minprom", help="a minprom to test instead of the pair")
    parser.add_argument("--rules", help="a minprom in Prometheus' place")
    parser.add_argument("--alerts", help="a minprom in Alertmanager's place")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=4, help="experiments at once")
    parser.add_argument("--ports", default="20000-28000")
    options = parser.parse_args()
    rules = [options.rules] if options.rules else alertlab.PROMETHEUS
    alerts = [options.alerts, "alertmanager"] if options.alerts else alertlab.ALERTMANAGER
    servers = alertlab.whole([options.minprom]) if options.minprom else alertlab.pair(rules, alerts)
    for program in [options.minprom] if options.minprom else [rules[0], alerts[0]]:
        if not os.access(program, os.X_OK):
            parser.error(f"there is no {program}; set ANCHORS or --minprom")
    ports, slots = webhooks.Ports(options.ports), asyncio.Semaphore(options.jobs)
    chosen = [e for e in EXPERIMENTS if options.only in e[0]]
    rows = {}

    async def run(name, goal, play):
        async with slots:
            try:
                async with alertlab.Lab(servers, ports) as lab:
                    rows[name] = await play(lab)
            except Exception as error:
                rows[name] = (f"{type(error).__name__}: {error}", False)
            print("·", name, flush=True)

    # What takes the machine to itself comes last, alone.
    crowd = [e for e in chosen if e[2] is not storm]
    await asyncio.gather(*(run(*e) for e in crowd))
    for e in chosen:
        if e not in crowd:
            await run(*e)
    print()
    for name, goal, _ in chosen:
        happened, met = rows[name]
        print(f"{'ok  ' if met else 'MISS'} {name:<54} {happened}\n{'':60}goal: {goal}")
    missed = sum(not rows[name][1] for name, _, _ in chosen)
    print(f"\n{len(chosen) - missed} of {len(chosen)} goals met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
