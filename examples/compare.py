"""Hold the example consumer's table against the history, which heard the same facts.

python examples/compare.py mes.db demo-data/site/data/history.db
"""

import sqlite3
import sys
from contextlib import closing

BOOKED = "SELECT equipment, counter, SUM(quantity) FROM parts GROUP BY 1, 2"
HISTORY = "SELECT equipment, counter, SUM(quantity) FROM production_per_hour GROUP BY 1, 2"


def read(path, query):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {row[:2]: round(row[2], 6) for row in database.execute(query)}


def main():
    booked, history = read(sys.argv[1], BOOKED), read(sys.argv[2], HISTORY)
    for machine, counter in sorted(booked.keys() | history.keys()):
        here, there = booked.get((machine, counter), 0), history.get((machine, counter), 0)
        print(f"{machine:14} {counter:10} {here:12g} {there:12g} {'' if here == there else '<--'}")
    same = all(booked.get(key, 0) == quantity for key, quantity in history.items())
    print("equal" if same else "NOT equal (yet): facts may still be on their way")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
