"""A tortured job: main.py EVIDENCE_FOLDER KIND ARGUMENTS_AS_JSON"""

import sys

from deeds import do
from evidence import execution_of_process

execution = execution_of_process(sys.argv[1])
do(sys.argv[2], sys.argv[3])
execution.done()
