"""`./dev bench pool`: what the reference pool costs, beside its peers, in one run.

    pool.py --bin FOLDER [--rounds N] [--smoke] [--results FILE]

Each round measures every figure once, in random order and each in a process of its own, so that what
else runs on the machine falls on all alike. A ratio is the median of the rounds' ratios.
"""
import argparse
import datetime
import os
import random
import sys

import measuring
import rows
import writing


def parsed(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench pool", description="what the reference pool costs")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=9, help="how often each figure is measured (9)")
    parser.add_argument("--smoke", action="store_true", help="once, with few tasks: does every figure work?")
    parser.add_argument("--results", help="also write the table to this file")
    return parser.parse_args(arguments)


def main(arguments):
    options = parsed(arguments)
    table = rows.table()
    subjects = rows.subjects(table)
    samples = measuring.Samples()
    started = datetime.datetime.now()
    load = os.getloadavg()
    rounds = 1 if options.smoke else options.rounds
    for done in range(rounds):
        for subject in random.sample(subjects, len(subjects)):
            samples.add(measuring.measure(subject, options.bin, options.smoke))
        print(f"round {done + 1} of {rounds} done", file=sys.stderr)
    about = writing.About(started, load, rounds, options.smoke)
    text, complete = writing.report(table, samples, about)
    print(writing.machine(about))
    print(text, end="")
    if options.results and not options.smoke:
        with open(options.results, "w") as file:
            file.write(writing.document(text, about))
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
