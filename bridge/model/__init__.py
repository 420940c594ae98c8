"""The words of the house: labels, time, samples, evaluated values, annotations, errors."""
