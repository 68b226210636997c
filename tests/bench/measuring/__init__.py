"""What the parts of tests/bench share: servers to measure, rounds that alternate, figures and tables."""
