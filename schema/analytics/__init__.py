"""The figures of customer success: values with their definitions, and the rows they are made of."""
