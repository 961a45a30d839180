# Any cluster with Flux, one rank a core. WAFERMARK_RANKS_PER_NODE: cores of a node (default: this machine's).
# Source: flux-batch(1), flux-run(1) of flux-core.
scheduler=flux
ranks_per_node=${WAFERMARK_RANKS_PER_NODE:-$(getconf _NPROCESSORS_ONLN)}
