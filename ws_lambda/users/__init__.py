"""Optional Django app: users of `django.contrib.auth` that are stored in DynamoDB."""
