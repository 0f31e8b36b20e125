"""The examples of clients/python/README.md, run as they stand, one after the other as a reader would."""

import contextlib
import io
import os
import re
from unittest import mock

from daemon import PACKAGES, SAMPLE_TYPE, DaemonTest

_TYPES = SAMPLE_TYPE + """
[job_types.upscale]
command = ["sh", "-c", "echo '10%|#         | 1/10'; cp {{params.source}} enlarged.jpg"]
shell = false
device = "cpu"
[job_types.upscale.parameters]
required = ["source"]
[job_types.upscale.parameters.properties]
source = {{ type = "string", format = "job-result" }}
scale = {{ enum = [2, 3, 4, 8], default = 2 }}
control_weight = {{ type = "number", minimum = 0, maximum = 1, default = 1.0 }}
[job_types.inference]
command = ["true"]
device = "cpu"
[job_types.inference.parameters.properties]
prompt_ids = {{ type = "array" }}
weights = {{ type = "object", additionalProperties = true }}
num_steps = {{ type = "integer" }}
guidance_scale = {{ type = "number" }}
[job_types.train]
command = ["true"]
device = "cpu"
[job_types.train.parameters.properties]
dataset = {{ type = "string" }}
steps = {{ type = "integer" }}
learning_rate = {{ type = "number" }}
"""


class Readme(DaemonTest):
    types = _TYPES
    slots = 2

    def test_the_examples_run(self) -> None:
        pictures = self.daemon.folder / "pictures"
        pictures.mkdir()
        for name in ("china.jpg", "flower.jpg"):
            (pictures / name).write_bytes(b"picture")
        text = (PACKAGES / "README.md").read_text()
        examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        self.assertGreater(len(examples), 6)
        names: "dict[str, object]" = {}
        said = []
        with mock.patch.dict(os.environ, {"FERRY_SOCKET": str(self.daemon.socket)}):
            for example in examples:
                printed = io.StringIO()
                with self.subTest(example=example), contextlib.redirect_stdout(printed):
                    exec(compile(example.replace("/pictures", str(pictures)), "README.md", "exec"), names)
                said.append(printed.getvalue())
        self.assertIn("enlarged.jpg", said[0])
        self.assertIn("/params/colour is not known", said[1])
        self.assertIn("/params/scale must be one of 2, 3, 4, 8, is 9", said[1])
        self.assertEqual(said[2].count(" completed "), 4)
        self.assertEqual(said[2].count("enlarged.jpg"), 2)
        self.assertTrue(said[4].startswith(f"enlarged.jpg 7 {pictures}/enlarged.jpg\n"))
        self.assertIn("\nann\n", "\n" + said[5])
        client = names["client"]
        client.close()  # type: ignore[attr-defined]
