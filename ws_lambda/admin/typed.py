"""Django's classes, which are generic for type checkers and not generic at run time."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms import models

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    ModelForm = models.ModelForm[Any]
    BaseInlineFormSet = models.BaseInlineFormSet[Any, Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    ModelForm = models.ModelForm
    BaseInlineFormSet = models.BaseInlineFormSet
