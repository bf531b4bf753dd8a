"""An application that follows the container contract; see docs/container-contract.md."""
