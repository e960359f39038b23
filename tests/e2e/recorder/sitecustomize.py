"""On the path of Zappa's process: notes every call that it makes to AWS, for the policy of who deploys."""

import os

import botocore.handlers


def _note(model, params, **_kwargs):
    with open(os.environ["NOTED_CALLS"], "a", encoding="utf-8") as file:  # noqa: PTH123 - as early as can be
        file.write(f"{model.service_model.service_name} {model.name} {params['method']}\n")


botocore.handlers.BUILTIN_HANDLERS.append(("before-call", _note))
