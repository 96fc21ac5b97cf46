#!/usr/bin/env python3
"""kill -9 while remote write runs, again and again: nothing acknowledged may be missing, nothing wrong or double may be there.

    Tests/system/crash.py [--binary .build/release/minprom] [--rounds 10] [--series 200]

Each round writes one sample to every series per request, as fast as two writers can, is killed at a random moment, and starts again on the
same directory. The value of a sample is a function of its series and time, so every answer can be checked in full.
"""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time

import wire


def value(index, step):
    return float(index * 7919 + step * 31 % 1009)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", default=".build/release/minprom")
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--series", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    chance = random.Random(options.seed)
    root = tempfile.mkdtemp(prefix="minprom-crash-")
    server = wire.Server(options.binary, root + "/data")
    base_time = int(time.time() * 1000) - 3_000_000
    acknowledged = [-1, -1]  # last step that each writer got a 2xx for
    attempted = [-1, -1]
    ready_times = []
    failed = False

    def writer(number, until):
        while not until.is_set():
            step = acknowledged[number] + 1
            attempted[number] = step
            message = b"".join(
                wire.series(
                    {"__name__": "crash", "writer": str(number), "i": str(i)},
                    [(base_time + step * 10, value(i, step))],
                )
                for i in range(options.series)
            )
            try:
                status, _ = wire.write(server.base, message, 5)
            except OSError:
                return
            if status // 100 == 2:
                acknowledged[number] = step

    print(f"first start: ready after {server.start():.3f} s")
    for round_number in range(options.rounds):
        stop = threading.Event()
        writers = [threading.Thread(target=writer, args=(n, stop)) for n in range(2)]
        for thread in writers:
            thread.start()
        time.sleep(chance.uniform(0.3, 1.5))
        server.kill()
        stop.set()
        for thread in writers:
            thread.join()
        ready_times.append(server.start())
        missing = wrong = extra = 0
        for number in range(2):
            for i in range(options.series):
                result = wire.query(
                    server.base,
                    f'crash{{writer="{number}",i="{i}"}}[2h]',
                    time=base_time / 1000 + 3600,
                )
                points = {round(t * 1000) - base_time: float(v) for t, v in result[0]["values"]} if result else {}
                for step in range(acknowledged[number] + 1):
                    if step * 10 not in points:
                        missing += 1
                for offset, v in points.items():
                    step = offset // 10
                    if offset % 10 or step > attempted[number]:
                        extra += 1
                    elif v != value(i, step):
                        wrong += 1
        total = (sum(acknowledged) + 2) * options.series
        print(
            f"round {round_number + 1}: ready after {ready_times[-1]:.3f} s, {total} acknowledged, "
            f"{missing} missing, {wrong} wrong, {extra} never sent"
        )
        failed |= bool(missing or wrong or extra)
        # A request may have been stored without its answer; the next one repeats it with the same values.
    server.stop()
    print(f"ready after kill -9: median {sorted(ready_times)[len(ready_times) // 2]:.3f} s, longest {max(ready_times):.3f} s")
    print("FAILED" if failed else "nothing lost")
    shutil.rmtree(root)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
