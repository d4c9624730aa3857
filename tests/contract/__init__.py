"""What Stillframe relies on in DynamoDB, S3 and SQS: one suite for the simulation's models and for two emulators.

Each test says what AWS documents; a model or an emulator that drifts from it fails here.
"""
