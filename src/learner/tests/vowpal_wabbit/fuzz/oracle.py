"""Real Vowpal Wabbit, asked line by line: what it predicts in its learn pass.

A request is a line of JSON on standard input, {"policy": …, "lines": [DSJSON, …]}, and so is the
answer: {"lines": […]} with, for each line, null if VW dropped it, {"pmf": […]} or {"slots":
[[[action, p], …], …]}, where probabilities are the bits of a 32-bit float; {"refused": …} if VW
refuses the policy; {"stopped": …} if it gave up at a line, with the answers for the lines before.
"""

import json
import struct
import sys

from vowpalwabbit import Workspace


def bits(number):
    return struct.unpack("<I", struct.pack("<f", number))[0]


def shown(prediction):
    if prediction and isinstance(prediction[0], list):
        return {"slots": [[[action, bits(p)] for action, p in slot] for slot in prediction]}
    return {"pmf": [bits(p) for p in prediction]}


def replay(workspace, lines):
    answers = []
    for line in lines:
        try:
            examples = workspace.parse(line)
            # A line that VW drops leaves one empty example.
            if len(examples) < 2:
                answers.append(None)
                workspace.finish_example(examples)
                continue
            workspace.learn(examples)
            answers.append(shown(examples[0].get_prediction(workspace.get_prediction_type())))
            workspace.finish_example(examples)
        except Exception as error:
            return {"lines": answers, "stopped": str(error)}
    return {"lines": answers}


def answer(request):
    try:
        workspace = Workspace(f"{request['policy']} --dsjson --quiet")
    except Exception as error:
        return {"refused": str(error)}
    result = replay(workspace, request["lines"])
    if "stopped" not in result:
        workspace.finish()
    return result


def main():
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
