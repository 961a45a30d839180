#!/usr/bin/env bash
# Brings potential files from the Debian packages openkim-models and lammps-data into one folder, where decks find
# them by name. Nothing is downloaded. What is there already stays. Exit code 1 when something is missing.
#
#   jobscripts/fetch_potentials.sh [--binary TUNGSTEN_MD] [DIR]
#
# DIR: default ${XDG_CACHE_HOME:-$HOME/.cache}/wafermark/potentials; elsewhere, point WAFERMARK_POTENTIALS to it.
# TUNGSTEN_MD makes the thinned W table of the SC24 work; default: this source's release build, or the PATH's.
set -euo pipefail

source_dir=$(cd "$(dirname "$0")/.." && pwd)
binary=
folder=${XDG_CACHE_HOME:-${HOME:?is not set: name a folder}/.cache}/wafermark/potentials
while (($#)); do
  case $1 in
    --binary) binary=${2:?--binary: expected the path of tungsten_md}; shift 2 ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "fetch_potentials: unknown option $1, expected --binary PATH or a folder" >&2; exit 2 ;;
    *) folder=$1; shift ;;
  esac
done
lammps=${LAMMPS_POTENTIALS:-/usr/share/lammps/potentials}
mkdir -p "$folder"
incomplete=0

missing() {
  echo "fetch_potentials: $1: $2" >&2
  incomplete=1
}

have() {
  [[ -s $folder/$1 ]] && printf '  %-34s %s\n' "$1" "$2"
}

# from_kim NAME MODEL_ID SOURCE: the parameter file of an OpenKIM portable model.
from_kim() {
  have "$1" "$3" && return
  local library
  for library in /usr/lib/*/kim-api/portable-models/*__"$2"_*/libkim-api-portable-model.so \
                 /usr/lib/kim-api/portable-models/*__"$2"_*/libkim-api-portable-model.so; do
    [[ -e $library ]] || continue
    "$source_dir/jobscripts/extract_kim_parameters.py" "$library" --output "$folder/$1" || break
    have "$1" "$3"
    return
  done
  missing "$1" "OpenKIM model $2 is not installed (Debian: apt-get install openkim-models)"
}

# from_lammps NAME FILE SOURCE
from_lammps() {
  have "$1" "$3" && return
  if [[ ! -r $lammps/$2 ]]; then
    missing "$1" "$lammps/$2 is not installed (Debian: apt-get install lammps-data)"
    return
  fi
  local part
  part=$(mktemp "$folder/.part.XXXXXX")
  if cp "$lammps/$2" "$part" && chmod 644 "$part" && mv "$part" "$folder/$1"; then
    have "$1" "$3"
  else
    rm -f "$part"
    missing "$1" "cannot be written to $folder"
  fi
}

# The SC24 table (Santos et al. 2024): every 14th distance up to 5.52475 A, every 20th density of W_zhou.
short_zhou() {
  local name=W_zhou_short.eam.alloy candidate
  have "$name" "$1" && return
  for candidate in "$binary" "$source_dir/build/release/apps/tungsten_md/tungsten_md" "$(command -v tungsten_md || true)"; do
    [[ -x $candidate && -s $folder/W_zhou.eam.alloy ]] || continue
    "$candidate" potential resample "$folder/W_zhou.eam.alloy" --r-stride 14 --r-cut 5.52475 --rho-stride 20 \
      -o "$folder/$name" >/dev/null || break
    have "$name" "$1"
    return
  done
  missing "$name" "needs W_zhou.eam.alloy and tungsten_md (build it, then run this again, or give --binary PATH)"
}

echo "potentials in $folder"
echo "OpenKIM models, CDDL-1.0 (full text: /usr/share/doc/openkim-models/copyright; please cite the sources):"
from_kim W_marinica2013_eam4.eam.alloy MO_046576227003 "Marinica et al., J. Phys.: Condens. Matter 25 (2013) 395502, EAM4"
from_kim Ta_li2003.eam.alloy MO_103054252769 "Li et al., Phys. Rev. B 67 (2003) 125101"
from_kim WHHe_bonny2014_eam2.eam.alloy MO_626183701337 "Bonny et al., J. Phys.: Condens. Matter 26 (2014) 485001, EAM2"
from_kim WRe_bonny2017.eam.alloy MO_234187151804 "Bonny et al., J. Appl. Phys. 121 (2017) 165107"
from_kim Cu_mendelev2008.eam.fs MO_945691923444 "Mendelev et al., Philos. Mag. 88 (2008) 1723"
echo "LAMMPS, GPL-2 (full text: /usr/share/doc/lammps-data/copyright; please cite the sources):"
from_lammps Cu_u6.eam Cu_u6.eam "Adams, Foiles and Wolfer, J. Mater. Res. 4 (1989) 102"
from_lammps Cu_mishin2001.eam.alloy Cu_mishin1.eam.alloy "Mishin et al., Phys. Rev. B 63 (2001) 224106"
from_lammps Cu_zhou.eam.alloy Cu_zhou.eam.alloy "Zhou et al., Acta Mater. 49 (2001) 4005"
from_lammps W_zhou.eam.alloy W_zhou.eam.alloy "Zhou et al., Acta Mater. 49 (2001) 4005"
short_zhou "the same, thinned and cut as Santos et al. (SC24) did"
exit $incomplete
