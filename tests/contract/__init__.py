"""What Stillframe relies on in AWS: one suite for the simulation's models and for two emulators.

Each test states what AWS documents; a model or an emulator that deviates from it fails here.
"""
