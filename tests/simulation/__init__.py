"""A deterministic simulation: the unchanged capture code on models of its surroundings, under a seeded scheduler.

python -m tests.simulation.run --schedules 1000      # many schedules, on every core
python -m tests.simulation.run --seed 42 --story     # one of them again, told step by step
"""
