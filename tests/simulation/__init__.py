"""A deterministic simulation: the unchanged capture code runs on models of its surroundings, under a seeded scheduler.

python -m tests.simulation.run --schedules 1000      # run many schedules, on every core
python -m tests.simulation.run --story 42            # run one seed again and print its story, step by step
"""
