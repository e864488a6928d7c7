"""What is made: the only folder that knows the CDK."""
