"""The simple samplers, which do everything in one node."""

from comfygen_mcp.engine.nodes.passes import Pass, sample_pass
from comfygen_mcp.engine.nodes.spec import Node, choice, integer, link, number, seed, slots
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Conditioning, Guider, Latent, Model

SAMPLERS = (
    "euler", "euler_cfg_pp", "euler_ancestral", "euler_ancestral_cfg_pp", "heun", "heunpp2", "exp_heun_2_x0",
    "exp_heun_2_x0_sde", "dpm_2", "dpm_2_ancestral", "lms", "dpm_fast", "dpm_adaptive", "dpmpp_2s_ancestral",
    "dpmpp_2s_ancestral_cfg_pp", "dpmpp_sde", "dpmpp_sde_gpu", "dpmpp_2m", "dpmpp_2m_cfg_pp", "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu", "dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu", "dpmpp_3m_sde", "dpmpp_3m_sde_gpu",
    "ddpm", "lcm", "ipndm", "ipndm_v", "deis", "res_multistep", "res_multistep_cfg_pp",
    "res_multistep_ancestral", "res_multistep_ancestral_cfg_pp", "gradient_estimation",
    "gradient_estimation_cfg_pp", "er_sde", "seeds_2", "seeds_3", "sa_solver", "sa_solver_pece", "ddim",
    "uni_pc", "uni_pc_bh2",
)  # fmt: skip
SCHEDULERS = (
    "simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal", "linear_quadratic",
    "kl_optimal",
)  # fmt: skip


def sample(  # noqa: PLR0913 - the node has that many inputs
    task: Task,
    *,
    model: Model,
    seed: int,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    denoise: float,
) -> tuple[Latent]:
    del scheduler
    guider = Guider(model, positive, negative, cfg)
    return (sample_pass(task, latent_image, Pass(guider, seed, sampler_name, steps, strength=denoise)),)


def sample_between(  # noqa: PLR0913 - the node has that many inputs
    task: Task,
    *,
    model: Model,
    add_noise: str,
    noise_seed: int,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    start_at_step: int,
    end_at_step: int,
    return_with_leftover_noise: str,
) -> tuple[Latent]:
    del scheduler, add_noise
    end = min(end_at_step, steps)
    guider = Guider(model, positive, negative, cfg)
    leftover = 1 - end / steps if return_with_leftover_noise == "enable" else 0.0
    strength = 1 - start_at_step / steps
    ran = end - start_at_step
    wanted = Pass(guider, noise_seed, sampler_name, ran, strength=strength, leftover=leftover, of=steps)
    return (sample_pass(task, latent_image, wanted),)


MODEL = link("MODEL", "The model used for denoising the input latent.")
SEED = seed("The random seed used for creating the noise.")
STEPS = integer(20, 1, 10000, tooltip="The number of steps used in the denoising process.")
CFG = number(
    8.0, 0.0, 100.0, step=0.1, round_to=0.01,
    tooltip="The Classifier-Free Guidance scale balances creativity and adherence to the prompt. Higher "
    "values result in images more closely matching the prompt however too high values will negatively "
    "impact quality.",
)  # fmt: skip
SAMPLER = choice(
    *SAMPLERS,
    tooltip="The algorithm used when sampling, this can affect the quality, speed, and style of the "
    "generated output.",
)
SCHEDULER = choice(
    *SCHEDULERS, tooltip="The scheduler controls how noise is gradually removed to form the image."
)
POSITIVE = link(
    "CONDITIONING", "The conditioning describing the attributes you want to include in the image."
)
NEGATIVE = link(
    "CONDITIONING", "The conditioning describing the attributes you want to exclude from the image."
)
LATENT_IMAGE = link("LATENT", "The latent image to denoise.")
DENOISE = number(
    1.0, 0.0, 1.0, step=0.01,
    tooltip="The amount of denoising applied, lower values will maintain the structure of the initial image "
    "allowing for image to image sampling.",
)  # fmt: skip
CATEGORY = "model/sampling"

NODES = (
    Node(
        "KSampler",
        "KSampler",
        CATEGORY,
        {
            "model": MODEL,
            "seed": SEED,
            "steps": STEPS,
            "cfg": CFG,
            "sampler_name": SAMPLER,
            "scheduler": SCHEDULER,
            "positive": POSITIVE,
            "negative": NEGATIVE,
            "latent_image": LATENT_IMAGE,
            "denoise": DENOISE,
        },
        slots("LATENT"),
        sample,
        description="Uses the provided model, positive and negative conditioning to denoise the latent "
        "image.",
    ),
    Node(
        "KSamplerAdvanced",
        "KSampler (Advanced)",
        CATEGORY,
        {
            "model": link("MODEL"),
            "add_noise": choice("enable", "disable"),
            "noise_seed": seed(),
            "steps": integer(20, 1, 10000),
            "cfg": number(8.0, 0.0, 100.0, step=0.1, round_to=0.01),
            "sampler_name": choice(*SAMPLERS),
            "scheduler": choice(*SCHEDULERS),
            "positive": link("CONDITIONING"),
            "negative": link("CONDITIONING"),
            "latent_image": link("LATENT"),
            "start_at_step": integer(0, 0, 10000),
            "end_at_step": integer(10000, 0, 10000),
            "return_with_leftover_noise": choice("disable", "enable"),
        },
        slots("LATENT"),
        sample_between,
    ),
)
