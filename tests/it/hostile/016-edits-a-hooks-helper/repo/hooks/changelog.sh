#!/bin/sh
# Nothing is done without a line in the changelog.
grep -q greet.sh CHANGELOG.md
