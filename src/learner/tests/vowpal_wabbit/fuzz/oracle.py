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


def is_dropped(reader, line):
    """Whether a line leaves no more than one empty example, which has no more than a constant."""
    examples = reader.parse(line)
    is_empty = len(examples) == 1 and examples[0].num_namespaces() < 2
    has_no_actions = len(examples) == 1 and '"_multi"' in line
    reader.finish_example(examples)
    return is_empty or has_no_actions


def replay(workspace, reader, lines):
    answers = []
    for line in lines:
        try:
            # The features of a line that is dropped halfway stay in memory, and VW finds them in
            # a later event: such lines are for another workspace.
            if is_dropped(reader, line):
                answers.append(None)
                continue
            examples = workspace.parse(line)
            workspace.learn(examples)
            first = examples[0] if isinstance(examples, list) else examples
            answers.append(shown(first.get_prediction(workspace.get_prediction_type())))
            workspace.finish_example(examples)
        except Exception as error:
            return {"lines": answers, "stopped": str(error)}
    return {"lines": answers}


def answer(request):
    try:
        workspace = Workspace(f"{request['policy']} --dsjson --quiet")
    except Exception as error:
        return {"refused": str(error)}
    slots = any("_slots" in line for line in request["lines"])
    kind = "--ccb_explore_adf" if slots else "--cb_explore_adf"
    reader = Workspace(f"{kind} --dsjson --quiet -b 1")
    result = replay(workspace, reader, request["lines"])
    if "stopped" not in result:
        workspace.finish()
    return result


def main():
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
