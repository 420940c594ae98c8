"""The messages of remote read: our own `.proto` files and the code that `generate.sh` makes of them."""
