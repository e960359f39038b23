"""What API Gateway does, fact by fact. Each test names its fact and the grade of what it is known from.

D: AWS documentation. M: the service model in botocore. R: captured from the service. X: a third party's experiment.
"""
