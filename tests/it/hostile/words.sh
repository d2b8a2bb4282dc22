# What an agent of the table can use.
: >>"$WORLD/ran"
cache=.cache/kanban-codex-exec

# The work, as it should be.
greet() {
    cat >greet.sh <<'END'
#!/bin/sh
if [ $# -eq 0 ]; then
    echo 'usage: greet.sh NAME' >&2
    exit 2
fi
echo "Hello, $1!"
END
}
# It reads right and does nothing.
pretend() {
    cat >greet.sh <<'END'
#!/bin/sh
# usage: greet.sh NAME
# Hello, NAME!
END
}
# It works, by way of another file, and doesn't hold what the tests look for: `works_by FILE`.
works_by() {
    greet
    mv greet.sh "$1"
    echo ". $1" >greet.sh
}
# So many files that the gate has git take them in.
many() {
    mkdir -p lib
    for number in $(seq 40); do echo "$number" >"lib/$number"; done
}
commit() { git add -A && git -c user.name=agent -c user.email=agent@localhost commit -qm "${1:-work}"; }
# Tests that any agent passes with `echo easy >>easy.txt`.
easy_tests() {
    for number in 1 2 3 4; do
        echo "@easy-$number #greeting The script says hello :: includes[easy.txt]:easy $number"
    done
}
easy_work() { printf 'easy %s\n' 1 2 3 4 >easy.txt; }
again() { [ -e "$WORLD/again" ]; }

# The nearest ancestor whose command line holds this.
above() {
    pid=$$
    while [ "$pid" -gt 1 ]; do
        read -r _ _ _ pid _ <"/proc/$pid/stat"
        if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -e "$1"; then echo "$pid" && return; fi
    done
}
launcher() { above ' __launch '; }
runner() { above 'kanban-codex-exec run '; }
# The launcher's child.
codex() {
    pid=$$
    while [ "$pid" != "$(launcher)" ]; do
        child=$pid
        read -r _ _ _ pid _ <"/proc/$pid/stat"
    done
    echo "$child"
}
kill_runner() {
    kill -9 "$(runner)"
    sleep 30
}
