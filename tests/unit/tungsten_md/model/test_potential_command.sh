#!/usr/bin/env bash
# `tungsten_md potential` and jobscripts/fetch_potentials.sh from the outside.   test_potential_command.sh TUNGSTEN_MD SOURCE_DIR
set -euo pipefail
tungsten_md=$1 source_dir=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { grep -Eq -- "$1" out || { cat out >&2; fail "no '$1' in the output"; }; }
refused() {  # refused WORDS...: exit code 2 and one line on stderr
  local code=0
  "$tungsten_md" potential "$@" >out 2>err </dev/null || code=$?
  ((code == 2)) || fail "'$*' ended with $code, expected 2"
  (($(wc -l <err) == 1)) || fail "'$*' said: $(cat err)"
}

# A model written, read back and thinned has the same crystal.
"$tungsten_md" potential generate --model ackland_thetford_1987 --core zbl_dft -o W.eam.alloy
"$tungsten_md" potential info W.eam.alloy >out
expect 'a = 3\.165200 A \(relaxed\): -8\.9000.*14 neighbours'
expect 'repulsive core: yes'
"$tungsten_md" potential resample W.eam.alloy --r-stride 2 --nrho 5001 -o thin.eam.alloy
"$tungsten_md" potential info thin.eam.alloy >out
expect 'a = 3\.165200 A \(relaxed\): -8\.9000.*14 neighbours'
expect '2002 distances.*5001 densities'
"$tungsten_md" potential generate --model zhou_2004 --element W,Ta -o WTa.eam.fs
"$tungsten_md" potential plot-data WTa.eam.fs --points 7 -o plot
(($(wc -l <plot_pairs.csv) == 8 && $(wc -l <plot_embedding.csv) == 8)) || fail "rows of the CSV files"

"$tungsten_md" potential info --model lj/cut --epsilon 0.010323565 --sigma 3.405 --element Ar >out
expect 'cut-off 8\.5125 A'
expect 'pair energy is least at 3\.822. A, -0\.010324 eV'
# Its samples are a file that any program of tables takes: the same crystal.
"$tungsten_md" potential generate --model lj/cut --epsilon 0.010323565 --sigma 3.405 --element Ar -o Ar.eam.alloy
"$tungsten_md" potential info Ar.eam.alloy >out
expect 'Ar fcc, a = 5\.276400 A \(relaxed\): -0\.083617 eV/atom, 78 neighbours'

refused info --model lj/cut --epsilon 0.01
refused info --model lj/cut --epsilon 0.01 --sigma 3.4 --element Ar,Ne
refused info --model lj/cut --epsilon 0.01 --sigma 3.4 --element LJ
refused info --model zhou_2004 --shifted
refused info W.eam.alloy --epsilon 0.01
refused info --model lj/cut --epsilon 0 --sigma 3.4
refused info nowhere.eam.alloy
refused info W.eam.alloy --element Fe
refused generate --model zhou_2004 --element He -o He.eam.alloy
refused resample W.eam.alloy --r-cut 9 -o x.eam.alloy
refused resample W.eam.alloy --r-stride 0 -o x.eam.alloy
refused generate --model ackland_thetford_1987 -o no/folder/W.eam.alloy
[[ ! -e He.eam.alloy && ! -e x.eam.alloy ]] || fail "a refused command left a file"
ls | grep -q '\.part' && fail "a temporary file stayed"

if ! ls /usr/lib/*/kim-api/portable-models/*MO_046576227003* >/dev/null 2>&1 || [[ ! -e /usr/share/lammps/potentials/W_zhou.eam.alloy ]]; then
  echo "openkim-models or lammps-data is not installed: fetch_potentials.sh not tested"
  exit 0
fi
"$source_dir/jobscripts/fetch_potentials.sh" --binary "$tungsten_md" "$folder/library" >out
expect 'CDDL-1\.0'
before=$(cd library && stat -c '%n %Y %i' *)
"$source_dir/jobscripts/fetch_potentials.sh" --binary "$tungsten_md" "$folder/library" >out
[[ $(cd library && stat -c '%n %Y %i' *) == "$before" ]] || fail "a second run changed the files"
export WAFERMARK_POTENTIALS=$folder/library
"$tungsten_md" potential info W_marinica2013_eam4.eam.alloy >out
expect 'a = 3\.143390 A \(relaxed\): -8\.89999.*58 neighbours'
expect 'repulsive core: yes'
"$tungsten_md" potential info Ta_li2003.eam.alloy >out
expect '-8\.089000 eV/atom, 14 neighbours'
"$tungsten_md" potential info W_zhou_short.eam.alloy >out
expect '501 distances.*501 densities'
expect '58 neighbours'
# Without the packages it says so and ends with 1.
code=0
LAMMPS_POTENTIALS=$folder/none "$source_dir/jobscripts/fetch_potentials.sh" "$folder/other" >out 2>err || code=$?
((code == 1)) || fail "an incomplete library ended with $code, expected 1"
grep -q 'apt-get install lammps-data' err || fail "no advice in: $(cat err)"
