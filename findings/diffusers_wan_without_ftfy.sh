#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# diffusers 0.42.1 without ftfy, which it does not ask pip for: the prompts of Wan's pipelines.
#
# Expected by many: a pipeline says that ftfy is missing, or two pipelines of one model family read a prompt alike.
# Seen: WanPipeline passes over the repair of a prompt with damaged accents without a word, so the same prompt and
# weights give another embedding than with ftfy. WanImageToVideoPipeline ends with NameError for any prompt.
# Whoever needs embeddings that agree between machines must ask for ftfy, as GVC's extra `models` does.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if either pipeline behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 diffusers==0.42.1 transformers==5.23.0
cat >"$folder/prompts.py" <<'P'
import logging

from diffusers.pipelines.wan.pipeline_wan import prompt_clean as text_to_video
from diffusers.pipelines.wan.pipeline_wan_i2v import prompt_clean as image_to_video

records = []
handler = logging.Handler()
handler.emit = records.append
logging.getLogger().addHandler(handler)
logging.getLogger("diffusers").addHandler(handler)
DAMAGED = "un caf\u00c3\u00a9 au bord de la mer"  # the UTF-8 bytes of an accented e, read as Latin-1
for name, clean in (("WanPipeline", text_to_video), ("WanImageToVideoPipeline", image_to_video)):
    try:
        result = ascii(clean(DAMAGED))
    except NameError as error:
        result = f"NameError: {error}"
    print(f"{name}: {result}; log: {[record.getMessage() for record in records]}")
P
"$folder/venv/bin/python" "$folder/prompts.py" 2>/dev/null | tee "$folder/without"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ftfy==6.3.1
echo "with ftfy 6.3.1:"
"$folder/venv/bin/python" "$folder/prompts.py" 2>/dev/null | tee "$folder/with"
grep -q "^WanPipeline: 'un caf.xc3.xa9 au bord de la mer'; log: \[\]$" "$folder/without"
grep -q "^WanImageToVideoPipeline: NameError: name 'ftfy' is not defined" "$folder/without"
grep -q "^WanPipeline: 'un caf.xe9 au bord de la mer'" "$folder/with"
grep -q "^WanImageToVideoPipeline: 'un caf.xe9 au bord de la mer'" "$folder/with"
