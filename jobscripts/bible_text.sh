#!/usr/bin/env bash
# Writes the text that the small Llama is trained on: the King James Bible (public domain) out of the Debian packages
# bible-kjv and bible-kjv-text, one verse a line, an empty line between chapters.
#   jobscripts/bible_text.sh DIR    DIR/train.txt, and DIR/heldout.txt: every 20th chapter, which training never sees
set -euo pipefail
case ${1:-} in
  -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "" | -*) echo "$(basename "$0"): found '${1:-}', expected a folder" >&2; exit 2 ;;
esac
out=$1
command -v bible >/dev/null ||
  { echo "bible_text.sh: no program 'bible', expected the Debian packages bible-kjv and bible-kjv-text" >&2; exit 2; }
mkdir -p "$out"
bible -f 'ge1:1-rev22:21' </dev/null | awk -v train="$out/train.txt.part" -v heldout="$out/heldout.txt.part" '
  {
    split($1, place, ":")                       # "1Sa3:7"
    if (place[1] != chapter) { chapter = place[1]; file = ++chapters % 20 == 0 ? heldout : train
                               if (seen[file]++) print "" >file }
    sub(/^[^ ]+ /, ""); print >file
    verses++
  }
  END { if (chapters != 1189 || verses != 31102) {
          print "bible_text.sh: found " chapters " chapters and " verses " verses, expected 1189 and 31102" >"/dev/stderr"
          exit 1 } }'
mv "$out/train.txt.part" "$out/train.txt"
mv "$out/heldout.txt.part" "$out/heldout.txt"
