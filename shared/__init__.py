"""What Campanha means: the flow, its steps and what they stand on."""
