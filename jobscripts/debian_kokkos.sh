# Kokkos on Debian, sourced by setup.sh. Debian has Kokkos 5 (OpenMP) in unstable only, so:
#   1. unstable becomes a source of libkokkos* and kokkos, pinned so that nothing else comes from there; a release
#      older than Debian 13 also gets trixie as a source, for the C and C++ run-time that Kokkos needs;
#   2. the packages are installed;
#   3. their CMake files name archives of header-only parts that the package does not hold: empty ones are made.
# Uses from setup.sh: apt (a quiet apt-get), as_root.

kokkos_sources=/etc/apt/sources.list.d/wafermark-kokkos.sources
kokkos_pins=/etc/apt/preferences.d/wafermark-kokkos

# Paths of the archives that the installed CMake files name and that do not exist.
absent_kokkos_archives() {
  local targets archive
  targets=$(dpkg-query -L libkokkos-dev 2>/dev/null | grep '/KokkosTargets-.*\.cmake$') || return 0
  grep -hoE 'lib/[^"]*/libkokkos[a-z]*\.a' $targets | sort -u | while read -r archive; do
    [ -e "/usr/$archive" ] || echo "/usr/$archive"
  done
}

debian_kokkos_complete() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' libkokkos-dev 2>/dev/null)" = installed ] &&
    [ -z "$(absent_kokkos_archives)" ]
}

# "URI codename source-file" of the machine's own Debian archives, whichever mirror and format they are in.
debian_archives() {
  apt-get indextargets --format '$(LABEL)|$(COMPONENT)|$(REPO_URI)|$(CODENAME)|$(SOURCESENTRY)' 'Created-By: Packages' |
    awk -F'|' -v ours="$kokkos_sources" \
      '$1 == "Debian" && $2 == "main" && index($5, ours) != 1 { sub(/:[0-9]+$/, "", $5); print $3, $4, $5 }' | sort -u
}

add_kokkos_sources() {
  local archives uri codename file keyring suites=sid
  archives=$(debian_archives)
  [ -n "$archives" ] || { echo "setup: found no Debian archive among apt's sources, expected one with 'main'" >&2; exit 1; }
  read -r uri codename file < <(grep -vE ' [a-z]+-(updates|backports|proposed-updates) ' <<<"$archives" | head -n 1)
  keyring=$(sed -nE 's/.*[Ss]igned-[Bb]y[:=][[:space:]]*([^] ]+).*/\1/p' "$file" | head -n 1)
  [ -f "$keyring" ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  # bookworm's own run-time is too old for Kokkos.
  if [ "$codename" = bookworm ]; then suites="trixie sid"; fi

  "${as_root[@]}" tee "$kokkos_sources" >/dev/null <<SOURCES
Types: deb
URIs: $uri
Suites: $suites
Components: main
Signed-By: $keyring
SOURCES
  {
    if [ "$codename" = bookworm ]; then printf 'Package: *\nPin: release n=trixie\nPin-Priority: 90\n\n'; fi
    printf 'Package: *\nPin: release n=sid\nPin-Priority: 80\n\n'
    printf 'Package: libkokkos* kokkos\nPin: release n=sid\nPin-Priority: 600\n'
  } | "${as_root[@]}" tee "$kokkos_pins" >/dev/null
  echo "setup: apt sources for Kokkos: $suites ($kokkos_sources, pins in $kokkos_pins)"
  apt update
}

install_debian_kokkos() {
  local plan from=() archive
  if [ "$(dpkg-query -W -f='${db:Status-Status}' libkokkos-dev 2>/dev/null)" != installed ]; then
    apt-get install -s libkokkos-dev kokkos >/dev/null 2>&1 </dev/null || add_kokkos_sources
    if ! plan=$(apt-get install -s libkokkos-dev kokkos 2>&1 </dev/null); then
      from=(-t trixie)
      plan=$(apt-get install -s "${from[@]}" libkokkos-dev kokkos libc6 libstdc++6 2>&1 </dev/null) ||
        { echo "$plan" | tail -n 20 >&2; echo "setup: apt finds no way to install Kokkos, see above" >&2; exit 1; }
    fi
    if grep -qE '^Inst (libc6|libstdc\+\+6) \[' <<<"$plan"; then
      echo "setup: Kokkos needs a newer C and C++ run-time; these packages of this machine are upgraded:"
      sed -nE 's/^Inst ([^ ]+) \[([^]]+)\] \(([^ ]+).*/         \1 \2 -> \3/p' <<<"$plan"
    fi
    echo "setup: installing Kokkos"
    apt install "${from[@]}" libkokkos-dev kokkos ${from:+libc6 libstdc++6}
  fi
  absent_kokkos_archives | while read -r archive; do
    echo "setup: making the empty archive $archive, which libkokkos-dev names and does not hold"
    "${as_root[@]}" ar qc "$archive"
  done
}
