"""A deck that runs in a moment, for the tests of what starts it."""
DECK = """[structure]
lattice_constant_angstrom = 3.1652
cells = [5, 4, 4]
[run]
steps = 10
timestep_ps = 0.001
[temperature]
initial_k = 300.0
"""
