"""The Kubernetes runner: KubernetesPodOperator with the doors closed, one pod a step.

Airflow reaches the cluster as its connection `kubernetes_default` says, or as the pod that it is in may. A pod sees no folder of any
machine, so lake and input are s3://; a profile, a lexicon or boxes lie in an image of yours. Its secrets are the keys of the Secret
`OFFKEY_SECRET` (default: offkey) in `OFFKEY_NAMESPACE`, each under the name of the variable that it becomes.
"""

from __future__ import annotations

import os
import re

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk.exceptions import AirflowException
from kubernetes.client import models as k8s
from runner import SECRETS, SETTINGS, TAIL, Step, StepRefused, image, paths, user


class Pod(Step, KubernetesPodOperator):
    """A step as a pod, made for the one run and deleted after it."""

    template_fields = Step.template_fields
    template_ext = ()

    def __init__(self, *, program: str, **kwargs):
        super().__init__(
            program=program,
            name=f"offkey-{program}",
            image=image(program),
            namespace=os.environ.get("OFFKEY_NAMESPACE"),
            container_resources=k8s.V1ResourceRequirements(limits={"memory": memory()}, requests={"memory": memory()}),
            container_security_context=confined(),
            security_context=k8s.V1PodSecurityContext(seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault")),
            automount_service_account_token=False,
            volumes=[k8s.V1Volume(name="tmp", empty_dir=scratch())],
            volume_mounts=[k8s.V1VolumeMount(name="tmp", mount_path="/tmp")],
            termination_grace_period=10,
            startup_timeout_seconds=600,  # a node may have to be started first
            startup_check_interval_seconds=1,
            container_name_log_prefix_enabled=False,
            log_pod_spec_on_failure=False,
            **kwargs,
        )
        self.exit_code: int | None = None
        self.lines: list[str] = []

    def execute(self, context):
        """Runs the program in a new pod, its output going to the log line by line."""
        params = self.asked(context)
        refuse_folders([params["lake"], *(paths(params["input"]) if "input" in self.options else [])])
        self.arguments = self.command_line(params)
        self.env_vars = [
            *(k8s.V1EnvVar(name, os.environ[name]) for name in SETTINGS if name in os.environ),
            *map(secret, (*SECRETS.get(self.program, ()), *SECRETS[None])),
            k8s.V1EnvVar("OFFKEY_RUN_ID", self.run_id(context)),
        ]
        self.log.info("%s %s", self.image, self.arguments)
        try:
            super().execute(context)
        except AirflowException:
            if self.exit_code is None:  # the program never ran, or its pod was taken away: tried again
                raise
        self.do_xcom_push = True  # only now: before, it would put a second container into the pod
        return self.finish(self.exit_code, self.lines, context)

    def cleanup(self, pod, remote_pod, xcom_result=None, context=None):
        """Sees how the program ended and what it said, before the pod is deleted."""
        statuses = (remote_pod and remote_pod.status and remote_pod.status.container_statuses) or []
        for status in statuses:
            if status.name == self.base_container_name and status.state and status.state.terminated:
                self.exit_code = status.state.terminated.exit_code
                said = self.client.read_namespaced_pod_log(
                    remote_pod.metadata.name,
                    remote_pod.metadata.namespace,
                    container=status.name,
                    tail_lines=TAIL,
                    _preload_content=False,  # a log that is one line of JSON would be parsed
                )
                self.lines = said.data.decode("utf-8", "backslashreplace").splitlines()
        super().cleanup(pod, remote_pod, xcom_result, context)


def confined() -> k8s.V1SecurityContext:
    """What a container may: compute, and write to /tmp."""
    number, _, group = user().partition(":")
    return k8s.V1SecurityContext(
        run_as_non_root=True,
        run_as_user=int(number),
        run_as_group=int(group),
        read_only_root_filesystem=True,
        allow_privilege_escalation=False,
        capabilities=k8s.V1Capabilities(drop=["ALL"]),
    )


def secret(name: str) -> k8s.V1EnvVar:
    """A variable from the Secret, left out where the Secret has none of its name."""
    key = k8s.V1SecretKeySelector(name=os.environ.get("OFFKEY_SECRET", "offkey"), key=name, optional=True)
    return k8s.V1EnvVar(name, value_from=k8s.V1EnvVarSource(secret_key_ref=key))


def scratch() -> k8s.V1EmptyDirVolumeSource:
    """/tmp, in memory; with `OFFKEY_SCRATCH` on the node's disk, where featurize needs more."""
    if os.environ.get("OFFKEY_SCRATCH"):
        return k8s.V1EmptyDirVolumeSource()
    return k8s.V1EmptyDirVolumeSource(medium="Memory", size_limit="256Mi")


def memory() -> str:
    """`OFFKEY_MEMORY` as Kubernetes writes it: 2g is 2Gi."""
    return re.sub(r"^(\d+)([kmg])b?$", lambda found: f"{found[1]}{found[2].upper()}i", os.environ.get("OFFKEY_MEMORY", "2g"))


def refuse_folders(places: list[str]):
    """A pod may run on any machine."""
    for place in places:
        if not place.startswith("s3://"):
            raise StepRefused(f"a pod does not see {place}. hint: give lake and input as s3://bucket/prefix", 78)
