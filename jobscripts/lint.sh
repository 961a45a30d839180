#!/usr/bin/env bash
# The quick checks of style: clang-format 14 on C++, pyflakes on Python, bash -n on scripts. Half a minute; no build.
#   jobscripts/lint.sh [--fix]     --fix formats the C++ files in place
# Exit code 1 with the places that are wrong, 77 where no tool is installed. Other versions of clang-format set lines otherwise.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
git rev-parse --git-dir >/dev/null 2>&1 || { echo "lint: SKIPPED: no git checkout"; exit 77; }

case "${1:-}" in
  "" | --fix) ;;
  -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) printf 'lint.sh: found %q, expected --fix or nothing\n' "$1" >&2; exit 2 ;;
esac
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r name; do [ ! -f "$name" ] || echo "$name"; done; }
wrong=0 looked=no

format=
for program in clang-format-14 clang-format; do
  if "$program" --version 2>/dev/null | grep -q 'version 14\.'; then format=$program; break; fi
done
if [ -z "$format" ]; then
  echo "lint: no clang-format 14: C++ is not looked at"
elif [ "${1:-}" = --fix ]; then
  files '*.cpp' '*.hpp' '*.cu' | xargs -r "$format" -i
else
  looked=yes
  said=$(files '*.cpp' '*.hpp' '*.cu' | xargs -r -P 2 -n 60 "$format" --dry-run -Werror 2>&1) ||
    { wrong=1; grep -E '^[^ ]+:[0-9]+:[0-9]+: (error|warning)' <<<"$said" || echo "$said"; }
fi

pyflakes=
for python in "${WAFERMARK_PYTHON:-python3}" /usr/bin/python3; do
  if "$python" -m pyflakes --version >/dev/null 2>&1; then pyflakes=$python; break; fi
done
if [ -z "$pyflakes" ]; then
  echo "lint: no pyflakes (Debian: pyflakes3): Python is not looked at"
else
  looked=yes
  # Spack's packages import all of its directives by *.
  files '*.py' | grep -v '^jobscripts/spack_repo/' | xargs -r "$pyflakes" -m pyflakes || wrong=1
fi

while read -r script; do
  bash -n "$script" || wrong=1
done < <(files '*.sh' apps/report/wafermark-report .ci/run)

[ $looked = yes ] || [ "${1:-}" = --fix ] || { [ $wrong = 1 ] || exit 77; }
[ $wrong = 0 ] && echo "lint: nothing found"
exit $wrong
