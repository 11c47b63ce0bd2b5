"""The vocabulary and the rules of margins. Pure: no I/O, no clock, no framework."""
