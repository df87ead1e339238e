"""The samplers that are put together: noise, guider, sampler and sigmas as nodes of their own."""

from comfygen_mcp.engine.nodes.passes import Pass, sample_pass
from comfygen_mcp.engine.nodes.sampling import SAMPLERS, SCHEDULERS
from comfygen_mcp.engine.nodes.spec import Node, choice, integer, link, number, seed, slots, switch
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Conditioning, Guider, Latent, Model, Noise, Sampler, Sigmas

MODULE = "comfy_extras.nodes_custom_sampler"


def make_noise(_: Task, *, noise_seed: int) -> tuple[Noise]:
    return (Noise(noise_seed),)


def select_sampler(_: Task, *, sampler_name: str) -> tuple[Sampler]:
    return (Sampler(sampler_name),)


def schedule_basic(_: Task, *, model: Model, scheduler: str, steps: int, denoise: float) -> tuple[Sigmas]:
    del model, scheduler
    return (Sigmas(steps if denoise > 0 else 0, denoise),)


def schedule_turbo(_: Task, *, model: Model, steps: int, denoise: float) -> tuple[Sigmas]:
    del model
    return (Sigmas(steps, denoise),)


def schedule_flux2(_: Task, *, steps: int, width: int, height: int) -> tuple[Sigmas]:
    del width, height
    return (Sigmas(steps),)


def guide_basic(_: Task, *, model: Model, conditioning: Conditioning) -> tuple[Guider]:
    return (Guider(model, conditioning, Conditioning(""), 1.0),)


def guide_cfg(
    _: Task, *, model: Model, positive: Conditioning, negative: Conditioning, cfg: float
) -> tuple[Guider]:
    return (Guider(model, positive, negative, cfg),)


def sample_custom(  # noqa: PLR0913 - the node has that many inputs
    task: Task,
    *,
    model: Model,
    add_noise: bool,
    noise_seed: int,
    cfg: float,
    positive: Conditioning,
    negative: Conditioning,
    sampler: Sampler,
    sigmas: Sigmas,
    latent_image: Latent,
) -> tuple[Latent, Latent]:
    del add_noise
    guider = Guider(model, positive, negative, cfg)
    wanted = Pass(guider, noise_seed, sampler.name, sigmas.steps, strength=sigmas.denoise)
    sampled = sample_pass(task, latent_image, wanted)
    return sampled, sampled


def sample_advanced(
    task: Task, *, noise: Noise, guider: Guider, sampler: Sampler, sigmas: Sigmas, latent_image: Latent
) -> tuple[Latent, Latent]:
    wanted = Pass(guider, noise.seed, sampler.name, sigmas.steps, strength=sigmas.denoise)
    sampled = sample_pass(task, latent_image, wanted)
    return sampled, sampled


SCHEDULES = "model/sampling/schedulers"
SAMPLED = slots("LATENT:output", "LATENT:denoised_output")
CFG = number(8.0, 0.0, 100.0, step=0.1, round_to=0.01)

NODES = (
    Node(
        "RandomNoise",
        "RandomNoise",
        "model/sampling/noise",
        {"noise_seed": seed()},
        slots("NOISE"),
        make_noise,
        module=MODULE,
    ),
    Node(
        "KSamplerSelect",
        "KSamplerSelect",
        "model/sampling/samplers",
        {"sampler_name": choice(*SAMPLERS, form="v3")},
        slots("SAMPLER"),
        select_sampler,
        module=MODULE,
    ),
    Node(
        "BasicScheduler",
        "BasicScheduler",
        SCHEDULES,
        {
            "model": link("MODEL"),
            "scheduler": choice(*SCHEDULERS, form="v3"),
            "steps": integer(20, 1, 10000),
            "denoise": number(1.0, 0.0, 1.0, step=0.01),
        },
        slots("SIGMAS"),
        schedule_basic,
        module=MODULE,
    ),
    Node(
        "SDTurboScheduler",
        "SDTurboScheduler",
        SCHEDULES,
        {
            "model": link("MODEL"),
            "steps": integer(1, 1, 10),
            "denoise": number(1.0, 0, 1.0, step=0.01),
        },
        slots("SIGMAS"),
        schedule_turbo,
        module=MODULE,
    ),
    Node(
        "Flux2Scheduler",
        "Flux2Scheduler",
        SCHEDULES,
        {
            "steps": integer(20, 1, 4096),
            "width": integer(1024, 16, 16384, step=1),
            "height": integer(1024, 16, 16384, step=1),
        },
        slots("SIGMAS"),
        schedule_flux2,
        module="comfy_extras.nodes_flux",
    ),
    Node(
        "BasicGuider",
        "BasicGuider",
        "model/sampling/guiders",
        {"model": link("MODEL"), "conditioning": link("CONDITIONING")},
        slots("GUIDER"),
        guide_basic,
        module=MODULE,
    ),
    Node(
        "CFGGuider",
        "CFGGuider",
        "model/sampling/guiders",
        {
            "model": link("MODEL"),
            "positive": link("CONDITIONING"),
            "negative": link("CONDITIONING"),
            "cfg": CFG,
        },
        slots("GUIDER"),
        guide_cfg,
        module=MODULE,
    ),
    Node(
        "SamplerCustom",
        "SamplerCustom",
        "model/sampling/custom",
        {
            "model": link("MODEL"),
            "add_noise": switch(default=True),
            "noise_seed": seed(),
            "cfg": CFG,
            "positive": link("CONDITIONING"),
            "negative": link("CONDITIONING"),
            "sampler": link("SAMPLER"),
            "sigmas": link("SIGMAS"),
            "latent_image": link("LATENT"),
        },
        SAMPLED,
        sample_custom,
        module=MODULE,
    ),
    Node(
        "SamplerCustomAdvanced",
        "SamplerCustomAdvanced",
        "model/sampling/custom",
        {
            "noise": link("NOISE"),
            "guider": link("GUIDER"),
            "sampler": link("SAMPLER"),
            "sigmas": link("SIGMAS"),
            "latent_image": link("LATENT"),
        },
        SAMPLED,
        sample_advanced,
        module=MODULE,
    ),
)
