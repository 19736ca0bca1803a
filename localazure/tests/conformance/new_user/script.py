"""Upload, a pipeline of two steps, its log and output, a model, a deployment, another, and back."""

import os

from azure.ai.ml import Input, MLClient, Output, command, dsl, entities
from azure.identity import DefaultAzureCredential

names = os.environ["SUBSCRIPTION_ID"], os.environ["RESOURCE_GROUP"], os.environ["WORKSPACE_NAME"]
ml_client = MLClient(DefaultAzureCredential(), *names)
image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
env = entities.Environment(name="heights", image=image, conda_file="conda.yaml")
data = ml_client.data.create_or_update(
    entities.Data(name="heights", path="./data/heights.csv", type="uri_file")
)

prepare = command(code="./src", environment=env, command="python prepare.py ${{inputs.raw}} ${{outputs.clean}}",
                  inputs={"raw": Input(type="uri_file")}, outputs={"clean": Output(type="uri_folder")})  # fmt: skip
train = command(code="./src", environment=env, command="python train.py ${{inputs.clean}} ${{outputs.model}}",
                inputs={"clean": Input(type="uri_folder")}, outputs={"model": Output(type="uri_folder")})  # fmt: skip


@dsl.pipeline(compute=os.environ.get("COMPUTE", "serverless"))
def heights(raw):
    prepared = prepare(raw=raw)
    trained = train(clean=prepared.outputs.clean)
    return {"model": trained.outputs.model}


job = ml_client.jobs.create_or_update(
    heights(raw=Input(type="uri_file", path=data.id)), experiment_name="heights"
)
ml_client.jobs.stream(job.name)
ml_client.jobs.download(name=job.name, output_name="model", download_path="./downloaded")
model = ml_client.models.create_or_update(
    entities.Model(name="heights", path=f"azureml://jobs/{job.name}/outputs/model", type="custom_model")
)
endpoint = entities.ManagedOnlineEndpoint(name=os.environ["ENDPOINT_NAME"], auth_mode="key")
ml_client.online_endpoints.begin_create_or_update(endpoint).result()
for name, unit in (("blue", "cm"), ("green", "inch")):
    ml_client.online_deployments.begin_create_or_update(entities.ManagedOnlineDeployment(
        name=name, endpoint_name=endpoint.name, model=model, environment=env, environment_variables={"UNIT": unit},
        code_configuration=entities.CodeConfiguration(code="./score", scoring_script="score.py"),
        instance_type="Standard_DS3_v2", instance_count=1)).result()  # fmt: skip
    endpoint.traffic = {name: 100}
    ml_client.online_endpoints.begin_create_or_update(endpoint).result()
    print(name, ml_client.online_endpoints.invoke(endpoint.name, request_file="request.json"))
endpoint.traffic = {"blue": 100}
ml_client.online_endpoints.begin_create_or_update(endpoint).result()
print("back", ml_client.online_endpoints.invoke(endpoint.name, request_file="request.json"))
ml_client.online_endpoints.begin_delete(endpoint.name).result()
