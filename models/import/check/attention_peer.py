"""Runs MediaPipe's attention mesh on one RGB picture with MediaPipe's own runtime and prints the result as JSON.

Usage: attention_peer.py MODEL.tflite PIXELS.rgb SIZE. Needs mediapipe 0.10.21. The picture (SIZE x SIZE, interleaved
8-bit RGB) goes into the network as it is; landmarks come out refined, in pixels of the picture, and the flag as a logit.
"""

import json
import sys

import mediapipe
import numpy
from mediapipe.python import packet_creator, packet_getter
from mediapipe.python._framework_bindings import calculator_graph

GRAPH = """
input_stream: "image"
output_stream: "flag"
output_stream: "landmarks"
node {
  calculator: "ImageToTensorCalculator"
  input_stream: "IMAGE:image"
  output_stream: "TENSORS:input"
  options { [mediapipe.ImageToTensorCalculatorOptions.ext] {
    output_tensor_width: %(size)d output_tensor_height: %(size)d output_tensor_float_range { min: 0.0 max: 1.0 }
  } }
}
node {
  calculator: "TfLiteCustomOpResolverCalculator"
  output_side_packet: "OP_RESOLVER:resolver"
  options { [mediapipe.TfLiteCustomOpResolverCalculatorOptions.ext] { use_gpu: false } }
}
node {
  calculator: "InferenceCalculatorCpu"
  input_side_packet: "OP_RESOLVER:resolver"
  input_stream: "TENSORS:input"
  output_stream: "TENSORS:all"
  options { [mediapipe.InferenceCalculatorOptions.ext] {
    model_path: "%(model)s" delegate { xnnpack { num_threads: 1 } }
  } }
}
node {
  calculator: "SplitTensorVectorCalculator"
  input_stream: "all"
  output_stream: "points"
  output_stream: "rest"
  options { [mediapipe.SplitVectorCalculatorOptions.ext] { ranges { begin: 0 end: 6 } ranges { begin: 6 end: 7 } } }
}
node { calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:rest" output_stream: "FLOATS:flag" }
node {
  calculator: "TensorsToFaceLandmarksWithAttention"
  input_stream: "TENSORS:points"
  output_stream: "LANDMARKS:landmarks"
}
"""


def main() -> None:
    model, pixels, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    image = numpy.fromfile(pixels, dtype=numpy.uint8).reshape(size, size, 3).copy()
    graph = calculator_graph.CalculatorGraph(graph_config=GRAPH % {"model": model, "size": size})
    result = {}
    graph.observe_output_stream("flag", lambda _, packet: result.update(flag=packet_getter.get_float_list(packet)))
    graph.observe_output_stream("landmarks", lambda _, packet: result.update(points=packet_getter.get_proto(packet)))
    graph.start_run()
    packet = packet_creator.create_image_frame(image_format=mediapipe.ImageFormat.SRGB, data=image)
    graph.add_packet_to_input_stream("image", packet.at(0))
    graph.close_all_packet_sources()
    graph.wait_until_done()
    landmarks = [v * size for point in result["points"].landmark for v in (point.x, point.y, point.z)]
    print(json.dumps({"landmarks": landmarks, "flag": list(result["flag"])}))


main()
