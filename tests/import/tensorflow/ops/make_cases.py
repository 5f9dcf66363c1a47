#!/usr/bin/env python3
"""Writes cases.json: graphs of one TensorFlow operator each, with what it gives. Needs tensorflow; the tests don't.

    python3 make_cases.py

A case is one line of CASES: an operator of tf.raw_ops and its arguments by name. Arrays made by x() are inputs, whose
sizes the graph does not know where it is dyn(); all others are constants.
"""
import json
import pathlib

import numpy as np
import tensorflow as tf


class Input:
    def __init__(self, value, dynamic):
        self.value, self.dynamic = np.asarray(value), dynamic


def f(*shape, low=-2.0, high=2.0, dtype=np.float32):
    """Numbers spread over a range, the same every time."""
    steps = np.arange(int(np.prod(shape)), dtype=np.float64) * 0.6180339887498949 + 0.17
    return ((steps % 1.0) * (high - low) + low).astype(dtype).reshape(shape)


def i(*shape, low=0, high=5, dtype=np.int32):
    return np.floor(f(*shape, low=low, high=high, dtype=np.float64)).astype(dtype)


def x(value):
    return Input(value, False)


def dyn(value):
    return Input(value, True)


def spd(n):
    a = f(n, n)
    return a @ a.T + n * np.eye(n, dtype=np.float32)


POOL = {"ksize": [1, 3, 2, 1], "strides": [1, 2, 2, 1]}
BATCH = {"scale": f(4, low=1), "offset": f(4), "mean": f(4), "variance": f(4, low=1)}
MASKS = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0}
BOXES = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [1, 11, 0, 10.1]], np.float32)

CASES = [
    # convolution
    ("Conv2D", dict(input=x(f(2, 7, 6, 3)), filter=f(3, 2, 3, 4), strides=[1, 2, 1, 1], padding="SAME")),
    ("Conv2D", dict(input=dyn(f(2, 7, 6, 3)), filter=f(3, 2, 3, 4), strides=[1, 2, 2, 1], padding="SAME")),
    ("Conv2D", dict(input=dyn(f(1, 9, 9, 2)), filter=f(3, 3, 2, 4), strides=[1, 1, 1, 1], padding="SAME", dilations=[1, 2, 2, 1])),
    ("Conv2D", dict(input=x(f(1, 6, 6, 4)), filter=f(3, 3, 2, 4), strides=[1, 1, 1, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 0, 2, 1, 0, 0])),
    ("Conv3D", dict(input=x(f(1, 4, 5, 4, 2)), filter=f(2, 3, 2, 2, 3), strides=[1, 1, 2, 1, 1], padding="SAME")),
    ("DepthwiseConv2dNative", dict(input=x(f(1, 6, 6, 2)), filter=f(3, 3, 2, 2), strides=[1, 1, 1, 1], padding="VALID")),
    ("Conv2DBackpropInput", dict(input_sizes=[1, 7, 8, 3], filter=f(3, 3, 3, 2), out_backprop=x(f(1, 4, 4, 2)), strides=[1, 2, 2, 1], padding="SAME")),
    ("Conv2DBackpropInput", dict(input_sizes=[1, 8, 10, 3], filter=f(3, 3, 3, 2), out_backprop=dyn(f(1, 3, 4, 2)), strides=[1, 2, 2, 1], padding="VALID")),
    ("Dilation2D", dict(input=x(f(1, 6, 5, 2)), filter=f(2, 3, 2), strides=[1, 2, 1, 1], rates=[1, 1, 1, 1], padding="SAME")),
    # pooling, normalization, activation
    ("MaxPool", dict(input=x(f(1, 7, 6, 2)), padding="SAME", **POOL)), ("AvgPool", dict(value=dyn(f(1, 7, 6, 2)), padding="SAME", **POOL)),
    ("MaxPool", dict(input=x(i(1, 6, 6, 4)), ksize=[1, 1, 1, 2], strides=[1, 1, 1, 2], padding="VALID")),
    ("MaxPoolWithArgmax", dict(input=x(f(2, 6, 6, 2)), padding="SAME", include_batch_in_index=True, **POOL)),
    ("FusedBatchNormV3", dict(x=x(f(2, 3, 3, 4)), is_training=False, epsilon=0.01, **BATCH)),
    ("FusedBatchNormV3", dict(x=x(f(2, 3, 3, 4)), is_training=True, epsilon=0.01, exponential_avg_factor=0.9, **BATCH)),
    ("LRN", dict(input=x(f(1, 2, 2, 7)), depth_radius=2, bias=1.5, alpha=0.3, beta=0.6)), ("L2Loss", dict(t=x(f(3, 2)))),
    ("SparseSoftmaxCrossEntropyWithLogits", dict(features=x(f(3, 4)), labels=x(np.array([1, 3, 0])))),
    ("SoftmaxCrossEntropyWithLogits", dict(features=x(f(3, 4)), labels=x(f(3, 4, low=0, high=1)))),
    ("EluGrad", dict(gradients=x(f(4)), outputs=x(f(4, low=-0.9)))), ("TanhGrad", dict(y=x(f(4, low=-1, high=1)), dy=x(f(4)))), ("SeluGrad", dict(gradients=x(f(4)), outputs=x(f(4)))),
    # layout, slicing, joining
    ("Transpose", dict(x=x(f(2, 3, 4)), perm=x(np.array([2, 0, 1], np.int32)))), ("Roll", dict(input=dyn(f(4, 5)), shift=[-1, 7], axis=[0, 1])),
    ("ReverseSequence", dict(input=x(f(2, 3, 4, 2)), seq_lengths=[1, 3, 2, 4][:2], seq_dim=2, batch_dim=0)),
    ("StridedSlice", dict(input=x(f(4, 5, 6)), begin=[1, 0, -1], end=[3, 0, 0], strides=[1, 1, -2], **dict(MASKS, shrink_axis_mask=2, end_mask=4))),
    ("StridedSlice", dict(input=dyn(f(4, 5, 6)), begin=[0, 0, 1, 2], end=[2, 0, 0, 0], strides=[1, 1, 1, 1], **dict(MASKS, ellipsis_mask=2, new_axis_mask=4, shrink_axis_mask=8))),
    ("StridedSlice", dict(input=x(f(4, 5)), begin=x(np.array([1, 1], np.int32)), end=x(np.array([3, 4], np.int32)), strides=[1, 2], **MASKS)),
    ("TensorStridedSliceUpdate", dict(input=x(f(4, 5)), begin=[1, 4], end=[3, 0], strides=[1, -2], value=f(2, 2), **MASKS)),
    ("Slice", dict(input=dyn(f(4, 5)), begin=[1, 0], size=[-1, 3])), ("SplitV", dict(value=x(f(7, 2)), size_splits=[2, -1, 1], axis=0, num_split=3)),
    ("Unpack", dict(value=x(f(2, 3)), num=3, axis=-1)), ("ConcatOffset", dict(concat_dim=1, shape=[x(np.array([2, 3], np.int32)), x(np.array([2, 5], np.int32))])),
    ("BroadcastGradientArgs", dict(s0=x(np.array([2, 1, 3], np.int32)), s1=x(np.array([4, 1], np.int32)))),
    # indexing
    ("GatherV2", dict(params=x(f(2, 3, 4)), indices=x(i(2, 5, high=4)), axis=2, batch_dims=1)), ("GatherV2", dict(params=x(f(2, 3, 4)), indices=x(i(2, 2, high=3)), axis=1, batch_dims=0)),
    ("ScatterNd", dict(indices=x(np.array([[1], [3], [1]])), updates=x(f(3, 2)), shape=np.array([5, 2]))), ("TensorScatterMin", dict(tensor=x(f(4)), indices=x(np.array([[1], [2], [1]])), updates=x(f(3)))),
    ("DynamicStitch", dict(indices=[x(np.array([0, 3], np.int32)), x(np.array([[2], [1]], np.int32))], data=[x(f(2, 2)), x(f(2, 1, 2))])),
    ("DynamicPartition", dict(data=x(f(5, 2)), partitions=x(np.array([0, 2, 0, 2, 2], np.int32)), num_partitions=3)), ("InvertPermutation", dict(x=x(np.array([2, 0, 1], np.int32)))),
    ("SparseFillEmptyRows", dict(indices=x(np.array([[0, 1], [2, 0], [2, 1]])), values=x(f(3)), dense_shape=np.array([4, 2]), default_value=np.float32(9))),
    # selection and counting
    ("OneHot", dict(indices=x(np.array([[0, -1], [2, 5]])), depth=3, on_value=np.float32(2), off_value=np.float32(-1), axis=1)), ("Unique", dict(x=x(np.array([3, 1, 3, 2])))),
    ("Select", dict(condition=x(np.array([True, False])), x=x(f(2, 3)), y=x(f(2, 3, low=5, high=6)))), ("ListDiff", dict(x=x(np.array([1, 5, 2])), y=x(np.array([5, 7])))),
    ("DenseBincount", dict(input=x(np.array([[1, 1, 7], [0, 2, 2]], np.int32)), size=4, weights=np.zeros(0, np.float32), binary_output=False)),
    ("UpperBound", dict(sorted_inputs=x(np.array([[1, 2, 2, 3]])), values=x(np.array([[2, 0, 9]])))), ("Bucketize", dict(input=x(f(5)), boundaries=[-1.0, 0.5])),
    # padding, blocks, patches, diagonals
    ("MirrorPad", dict(input=x(f(3, 4)), paddings=[[2, 1], [3, 2]], mode="SYMMETRIC")), ("MirrorPad", dict(input=dyn(f(3, 4)), paddings=[[2, 1], [3, 2]], mode="REFLECT")),
    ("SpaceToBatchND", dict(input=dyn(f(1, 5, 4, 2)), block_shape=[2, 2], paddings=[[1, 0], [0, 2]])), ("BatchToSpaceND", dict(input=x(f(4, 3, 3, 2)), block_shape=[2, 2], crops=[[1, 0], [0, 2]])),
    ("DepthToSpace", dict(input=x(f(1, 2, 2, 8)), block_size=2)), ("SpaceToDepth", dict(input=x(f(1, 4, 4, 2)), block_size=2)),
    ("ExtractImagePatches", dict(images=dyn(f(1, 7, 6, 2)), ksizes=[1, 3, 2, 1], strides=[1, 2, 2, 1], rates=[1, 1, 2, 1], padding="SAME")),
    ("MatrixDiagV3", dict(diagonal=x(f(2, 3, 3)), k=[-1, 1], num_rows=-1, num_cols=-1, padding_value=np.float32(7), align="LEFT_RIGHT")),
    ("MatrixDiagV3", dict(diagonal=x(f(2)), k=1, num_rows=2, num_cols=4, padding_value=np.float32(7))), ("MatrixDiagPartV3", dict(input=x(f(2, 3, 4)), k=[-2, 1], padding_value=np.float32(7))),
    ("MatrixSetDiagV3", dict(input=x(f(3, 4)), diagonal=x(f(2, 3)), k=[-1, 0])), ("MatrixBandPart", dict(input=dyn(f(4, 4)), num_lower=1, num_upper=-1)),
    # reductions, segments, order
    ("Sum", dict(input=x(i(2, 3, dtype=np.int8)), axis=[-1], keep_dims=True)), ("Mean", dict(input=x(f(2, 3)), axis=np.zeros(0, np.int32))), ("All", dict(input=x(np.array([[True, False], [True, True]])), axis=1)),
    ("Cumprod", dict(x=x(f(3, 4)), axis=1, exclusive=True, reverse=True)), ("CumulativeLogsumexp", dict(x=x(f(4)), axis=0)), ("Cumsum", dict(x=x(i(4)), axis=0, exclusive=True)),
    ("SegmentMax", dict(data=x(f(4, 2)), segment_ids=x(np.array([0, 0, 2, 2])))), ("UnsortedSegmentMin", dict(data=x(f(4, 2)), segment_ids=x(np.array([2, -1, 0, 2])), num_segments=4)),
    ("SparseSegmentSqrtN", dict(data=x(f(4, 2)), indices=x(np.array([3, 1, 0], np.int32)), segment_ids=x(np.array([0, 0, 2], np.int32)))), ("UnsortedSegmentProd", dict(data=x(i(4, low=1)), segment_ids=x(np.array([1, 1, 0, 1])), num_segments=3)),
    ("TopKV2", dict(input=x(np.array([[1, 3, 3, 2]], np.int16)), k=2)), ("NthElement", dict(input=x(f(2, 5)), n=1, reverse=True)), ("InTopKV2", dict(predictions=x(f(2, 4)), targets=x(np.array([1, 2])), k=np.int64(2))),
    # images
    ("ResizeBicubic", dict(images=x(f(1, 5, 6, 2)), size=[8, 9], half_pixel_centers=True)), ("ResizeBicubic", dict(images=dyn(f(1, 5, 6, 2)), size=[3, 4], align_corners=True)),
    ("ResizeNearestNeighbor", dict(images=dyn(f(1, 5, 6, 2)), size=[7, 3], align_corners=True)), ("ResizeArea", dict(images=x(f(1, 5, 6, 2)), size=[3, 8])), ("ResizeBilinear", dict(images=dyn(f(1, 5, 6, 2)), size=[8, 3])),
    ("ScaleAndTranslate", dict(images=x(f(1, 5, 6, 2)), size=[7, 4], scale=np.array([1.4, 0.6], np.float32), translation=np.array([0.5, 0.0], np.float32), kernel_type="mitchellcubic")),
    ("CropAndResize", dict(image=x(f(2, 5, 6, 2)), boxes=x(np.array([[0.1, 0.2, 0.9, 0.8], [-0.2, 0, 1.2, 1]], np.float32)), box_ind=[1, 0], crop_size=[3, 4], extrapolation_value=5.0)),
    ("NonMaxSuppressionV5", dict(boxes=x(BOXES), scores=x(np.array([0.9, 0.75, 0.6, 0.95, 0.5], np.float32)), max_output_size=4, iou_threshold=0.5, score_threshold=0.1, soft_nms_sigma=0.3)),
    ("NonMaxSuppressionV4", dict(boxes=x(BOXES), scores=x(np.array([0.9, 0.75, 0.6, 0.95, 0.5], np.float32)), max_output_size=4, iou_threshold=0.5, score_threshold=0.1, pad_to_max_output_size=True)),
    ("CombinedNonMaxSuppression", dict(boxes=x(np.stack([BOXES, BOXES[::-1] + 0.05], 1)[None]), scores=x(f(1, 5, 2, low=0, high=1)), max_output_size_per_class=2, max_total_size=5, iou_threshold=0.5, score_threshold=0.1)),
    ("RGBToHSV", dict(images=x(f(2, 4, 3, low=0, high=1)))), ("AdjustHue", dict(images=x(f(2, 4, 3, low=0, high=1)), delta=0.3)), ("AdjustSaturation", dict(images=x(f(2, 4, 3, low=0, high=1)), scale=1.7)), ("AdjustContrastv2", dict(images=x(f(2, 4, 3)), contrast_factor=1.3)),
    ("CTCGreedyDecoder", dict(inputs=x(f(6, 2, 3)), sequence_length=[6, 4], merge_repeated=True)),
]
LINEAR = [
    ("MatrixInverse", dict(input=x(f(2, 3, 3) + 3 * np.eye(3, dtype=np.float32)), adjoint=True)), ("MatrixSolve", dict(matrix=dyn(f(3, 3)), rhs=x(f(3, 2)))), ("Cross", dict(a=x(f(2, 3)), b=x(f(2, 3, low=1)))),
    ("MatrixTriangularSolve", dict(matrix=x(f(3, 3) + 3 * np.eye(3, dtype=np.float32)), rhs=x(f(3, 2)), lower=False, adjoint=True)), ("Cholesky", dict(input=x(spd(3)))),
    ("MatrixSolveLs", dict(matrix=x(f(4, 2)), rhs=x(f(4, 1)), l2_regularizer=np.float64(0.1))), ("LogMatrixDeterminant", dict(input=x(f(2, 3, 3)))), ("Qr", dict(input=x(f(4, 3)))),
    ("SelfAdjointEigV2", dict(input=x(spd(3)), compute_v=False)), ("Svd", dict(input=x(f(3, 2)), compute_uv=False)), ("Lu", dict(input=x(f(3, 3)))),
]
COMPLEX = [
    ("IRFFT", dict(input=("Complex", dict(real=x(f(2, 5)), imag=x(f(2, 5)))), fft_length=[7])), ("RFFT2D", dict(input=x(f(3, 4)), fft_length=[2, 4])),
    ("IFFT2D", dict(input=("Complex", dict(real=x(f(3, 4)), imag=x(f(3, 4)))))), ("Mul", dict(x=("Complex", dict(real=x(f(3)), imag=x(f(3, low=1)))), y=("Cast", dict(x=x(f(3)), DstT=tf.complex64)))),
    ("Angle", dict(input=("Complex", dict(real=x(f(3)), imag=x(f(3, low=1)))))), ("Conj", dict(input=("Complex", dict(real=x(f(3)), imag=x(f(3)))))),
]
# Special functions, bits, recurrent cells.
POSITIVE = f(2, 5, low=0.2, high=12)
SPECIAL = [(name, dict(x=x(f(9, low=-11, high=11)))) for name in ("BesselI0", "BesselI0e", "BesselI1", "BesselI1e", "BesselJ0", "BesselJ1", "Lgamma", "Digamma")]
SPECIAL += [(name, dict(x=x(POSITIVE))) for name in ("BesselK0", "BesselK0e", "BesselK1", "BesselK1e", "BesselY0", "BesselY1")]
SPECIAL += [
    ("Erfinv", dict(x=x(f(7, low=-0.99, high=0.99)))), ("Ndtri", dict(x=dyn(f(7, low=0.001, high=0.999)))), ("Lgamma", dict(x=x(f(3, dtype=np.float64)))),
    ("Igamma", dict(a=x(POSITIVE), x=x(POSITIVE[:, ::-1]))), ("Igammac", dict(a=dyn(POSITIVE), x=x(f(2, 1, low=0.5, high=9)))),
    ("Zeta", dict(x=x(POSITIVE + 1), q=x(POSITIVE[:, ::-1]))), ("Polygamma", dict(a=x(np.array([[0.0], [1.0]], np.float32)), x=x(POSITIVE))),
    ("Polygamma", dict(a=x(np.float32(2)), x=x(POSITIVE))),
    ("Bitcast", dict(input=x(np.array([0, 1, -2.5, 1e-40, -1e30, 3.1415927], np.float32)), type=tf.int32)), ("Bitcast", dict(input=x(np.array([0x3F800000, -0x3FE00000, 1, 0x7F7FFFFF], np.int32)), type=tf.float32)),
    ("Bitcast", dict(input=dyn(np.array([[-1, 258], [7, 1 << 30]], np.int32)), type=tf.uint8)), ("Bitcast", dict(input=x(i(3, 4, high=256, dtype=np.uint8)), type=tf.int32)),
    ("Bitcast", dict(input=x(i(4, low=-128, high=128, dtype=np.int8)), type=tf.uint8)), ("Bitcast", dict(input=x(i(2, 2, low=-9, high=9)), type=tf.int64)), ("Bitcast", dict(input=x(f(4, dtype=np.float16)), type=tf.int16)),
]
LSTM = dict(w=f(5, 12), wci=f(3), wcf=f(3), wco=f(3), b=f(12))
SPECIAL += [
    ("LSTMBlockCell", dict(x=x(f(2, 2)), cs_prev=x(f(2, 3)), h_prev=x(f(2, 3)), use_peephole=True, cell_clip=0.5, **LSTM)), ("LSTMBlockCell", dict(x=dyn(f(2, 2)), cs_prev=x(f(2, 3)), h_prev=x(f(2, 3)), forget_bias=0.3, **LSTM)),
    ("BlockLSTM", dict(seq_len_max=np.int64(4), x=x(f(4, 2, 2)), cs_prev=f(2, 3), h_prev=f(2, 3), **LSTM)), ("BlockLSTMV2", dict(seq_len_max=x(np.int64(4)), x=dyn(f(4, 2, 2)), cs_prev=x(f(2, 3)), h_prev=x(f(2, 3)), use_peephole=True, **LSTM)),
    ("GRUBlockCell", dict(x=x(f(2, 2)), h_prev=x(f(2, 3)), w_ru=f(5, 6), w_c=f(5, 3), b_ru=f(6), b_c=f(3))),
]

# Sparse tensors, strings, maps of images, complex numbers that only move, odds and ends.
PLACES = np.array([[0, 1], [1, 0], [2, 3]])
SP = dict(sp_indices=x(PLACES), sp_values=x(f(3)), sp_shape=np.array([3, 4]))
PAIR = dict(a_indices=x(PLACES), a_values=x(f(3)), a_shape=np.array([3, 4]), b_indices=x(np.array([[0, 1], [2, 2]])), b_values=x(f(2, low=1)), b_shape=np.array([3, 4]))
PAIRS = ("Complex", dict(real=x(f(2, 3)), imag=x(f(2, 3, low=1))))
WORDS = x(np.array([["b a", "<br />Hi", ""], ["a<br />b", "aa1!", "\u00dcb-er"]], object))
MORE = [
    ("SparseReshape", dict(input_indices=x(PLACES), input_shape=np.array([3, 4]), new_shape=np.array([2, -1]))), ("SparseReorder", dict(input_indices=x(PLACES[::-1].copy()), input_values=x(f(3)), input_shape=np.array([3, 4]))),
    ("SparseConcat", dict(indices=[x(PLACES), x(PLACES[:2].copy())], values=[x(f(3)), x(f(2))], shapes=[np.array([3, 4]), np.array([3, 4])], concat_dim=1)),
    ("SparseSlice", dict(indices=x(PLACES), values=x(f(3)), shape=np.array([3, 4]), start=np.array([1, 0]), size=np.array([5, 2]))), ("SparseSplit", dict(split_dim=np.int64(1), indices=x(PLACES), values=x(f(3)), shape=np.array([3, 4]), num_split=3)),
    ("SparseAdd", dict(thresh=np.float32(0), **PAIR)), ("SparseSparseMaximum", PAIR), ("SparseTensorDenseAdd", dict(a_indices=x(PLACES), a_values=x(f(3)), a_shape=np.array([3, 4]), b=x(f(3, 4)))),
    ("SparseDenseCwiseDiv", dict(dense=x(f(4, low=1)), **SP)), ("SparseSoftmax", SP), ("SparseReduceSum", dict(input_indices=x(PLACES), input_values=x(f(3)), input_shape=np.array([3, 4]), reduction_axes=[1], keep_dims=True)),
    ("SparseReduceMax", dict(input_indices=x(PLACES), input_values=x(f(3, high=-1)), input_shape=np.array([3, 4]), reduction_axes=[0])), ("SetSize", dict(set_indices=x(PLACES), set_values=x(i(3)), set_shape=np.array([3, 4]))),
    ("ImageProjectiveTransformV2", dict(images=x(f(2, 5, 6, 2)), transforms=x(np.array([[1, 0.1, 0.5, -0.1, 0.9, 1, 0.002, 0.001]], np.float32)), output_shape=[4, 7], interpolation="BILINEAR")),
    ("ImageProjectiveTransformV3", dict(images=dyn(f(1, 5, 6, 2)), transforms=np.array([[0.7, 0, -4, 0, 1.2, 3, 0, 0]], np.float32), output_shape=[6, 5], fill_value=np.float32(0), interpolation="NEAREST", fill_mode="REFLECT")),
    ("ImageProjectiveTransformV3", dict(images=x(f(1, 5, 6, 2)), transforms=np.array([[0.7, 0, -4, 0, 1.2, 3, 0, 0]], np.float32), output_shape=[6, 5], fill_value=np.float32(3), interpolation="BILINEAR", fill_mode="WRAP")),
    ("Tile", dict(input=PAIRS, multiples=[1, 2])), ("Unpack", dict(value=PAIRS, num=3, axis=1)), ("Rsqrt", dict(x=PAIRS)), ("Expm1", dict(x=PAIRS)), ("Einsum", dict(inputs=[PAIRS, PAIRS], equation="ij,kj->ik")),
    ("LeftShift", dict(x=x(i(4, high=99, dtype=np.uint16)), y=x(i(4, dtype=np.uint16)))), ("DataFormatVecPermute", dict(x=x(np.array([1, 2, 3, 4], np.int32)), src_format="NHWC", dst_format="NCHW")), ("DataFormatDimMap", dict(x=x(np.array([0, -1, 2], np.int32)))),
    ("TridiagonalSolve", dict(diagonals=x(f(3, 4) + np.array([[0], [5], [0]], np.float32)), rhs=x(f(4, 2)))), ("BandedTriangularSolve", dict(matrix=x(f(2, 4, low=1)), rhs=x(f(4, 1)))), ("BandedTriangularSolve", dict(matrix=x(f(2, 4, low=1)), rhs=x(f(4, 1)), lower=False)),
    ("ApproxTopK", dict(input=x(f(2, 6)), k=2)), ("QuantizeAndDequantizeV4", dict(input=x(f(2, 3)), input_min=np.float32(0), input_max=np.float32(0), signed_input=False, range_given=False)), ("InplaceSub", dict(x=x(f(3, 2)), i=[2], v=x(f(1, 2)))),
    ("Svd", dict(input=x(f(2, 3, 4)), compute_uv=False)),
]
TEXTS = [
    ("StaticRegexReplace", dict(input=WORDS, pattern="<br />", rewrite=" ")), ("StaticRegexReplace", dict(input=WORDS, pattern="[^a-z]+", rewrite="_")), ("RegexReplace", dict(input=WORDS, pattern=r"[!\-\.]", rewrite="", replace_global=False)),
    ("StringLower", dict(input=WORDS)), ("StringUpper", dict(input=WORDS, encoding="utf-8")), ("GatherV2", dict(params=WORDS, indices=[1, 0], axis=0)),
]
LATER = [
    ("StringToHashBucketStrong", dict(input=WORDS, num_buckets=1000003, key=[3, 5])), ("UnicodeDecode", dict(input=x(np.array(["ab", "", "\u00dcx\u20ac"], object)), input_encoding="UTF-8")),
    ("StringNGrams", dict(data=x(np.array(["a", "b", "c", "d"], object)), data_splits=np.array([0, 3, 3, 4]), separator="-", ngram_widths=[1, 2], left_pad="", right_pad="", pad_width=0, preserve_short_sequences=False)),
    ("Betainc", dict(a=x(f(9, low=0.3, high=9)), b=x(f(9, low=8, high=0.2)), x=x(f(9, low=0.01, high=0.99)))), ("Dawsn", dict(x=x(f(9, low=-9, high=9)))), ("Expint", dict(x=x(f(9, low=0.1, high=50)))),
    ("Spence", dict(x=x(f(9, low=0, high=9)))), ("FresnelSin", dict(x=x(f(9, low=-9, high=9)))), ("FresnelCos", dict(x=x(f(9, low=-9, high=9)))),
    # products in the type of the result
    ("BatchMatMulV3", dict(x=dyn(i(2, 3, 4, low=-127, high=127, dtype=np.int8)), y=i(4, 5, low=-127, high=127, dtype=np.int8), Tout=tf.int32)),
    ("BatchMatMulV3", dict(x=x(i(3, 4, low=0, high=255, dtype=np.uint8)), y=x(i(5, 4, low=-127, high=127, dtype=np.int8)), Tout=tf.int32, adj_y=True)),
    ("BatchMatMulV3", dict(x=x(f(2, 3, 4)), y=dyn(f(2, 4, 5)), Tout=tf.float32)),
]


def encoded(array):
    array = np.asarray(array)
    if array.dtype == np.complex64:
        array = np.stack([array.real, array.imag], -1)
    if array.dtype == object:
        return {"dtype": "string", "shape": list(array.shape), "data": [v if isinstance(v, str) else v.decode() for v in array.reshape(-1)]}
    data = [float(f"{v:.9g}") if isinstance(v, float) else int(v) for v in array.reshape(-1).tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def record(number, op, arguments):
    feeds = {}

    def built(name, kwargs):
        return getattr(tf.raw_ops, name)(**{key: argument(value) for key, value in kwargs.items()})

    def argument(value):
        if isinstance(value, tuple):
            return built(*value)
        if isinstance(value, list) and value and isinstance(value[0], (Input, tuple)):
            return [argument(item) for item in value]
        if not isinstance(value, Input):
            return value
        shape = [None] * value.value.ndim if value.dynamic else value.value.shape
        placeholder = tf.compat.v1.placeholder(value.value.dtype, shape, name=f"x{len(feeds)}")
        feeds[placeholder] = value.value
        return placeholder

    with tf.Graph().as_default() as graph:
        results = built(op, arguments)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        if op == "FusedBatchNormV3":
            results = results[:3]
        results = [part for result in results for part in (result if isinstance(result, list) else [result])]
        if op in ("SelfAdjointEigV2", "Svd"):
            results = results[:1]
        config = tf.compat.v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True  # it would replace operators
        with tf.compat.v1.Session(graph=graph, config=config) as session:
            values = session.run(results, feeds)
        text = str(graph.as_graph_def())
    return {"name": f"{number} {op}", "graph": text, "inputs": [encoded(v) for v in feeds.values()],
            "outputs": [tensor.name for tensor in results], "results": [encoded(v) for v in values]}


def main():
    rows = [record(number, *case) for number, case in enumerate(CASES + LINEAR + COMPLEX + SPECIAL + MORE + TEXTS + LATER)]
    path = pathlib.Path(__file__).with_name("cases.json")
    path.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


main()
