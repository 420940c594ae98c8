"""What the engine may ask of a store, and stores that live in this process."""
