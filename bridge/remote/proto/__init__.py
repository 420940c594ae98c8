"""The messages of remote read and of federation: our own `.proto` files and the code that `generate.sh` makes of them."""
