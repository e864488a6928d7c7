"""What AWS PCS, EC2 and Slurm are."""
