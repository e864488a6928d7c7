"""What all tiers share: the Node.js that jsii runs on, chosen before anything imports the CDK."""

import os

import apps  # noqa: F401  # sets JSII_NODE

# The validation engine is most of the time of a small synth; tests/apps switches it on.
os.environ.setdefault("CDK_VALIDATION", "false")
