"""Optional Django app: users of `django.contrib.auth` that live in DynamoDB."""
