"""What `pcs_constructs.cfnlint` uses of cfn-lint, which comes without types."""
