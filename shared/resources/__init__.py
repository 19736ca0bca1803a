"""The one list of the Azure resources that Campanha needs, and who may do what on them.

Bicep reads it as `infra/resources.json` (written by `python docs/generated.py`), the embedded Azure's layout is made of
it, and the checks of `infra/` and the documentation are held against it, both ways.
"""
