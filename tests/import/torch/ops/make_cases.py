#!/usr/bin/env python3
"""Writes cases.json: calls of PyTorch operators with what they give. Needs torch; the tests themselves don't.

    python3 make_cases.py

A case is one line of CASES: an operator and its arguments. "op.overload" picks an overload. Tensors are made by the
helpers below, with fixed numbers. DYNAMIC at the front of a case hides the sizes from the translation.
"""
import json
import pathlib

import torch
import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed

inf, nan = float("inf"), float("nan")
DYNAMIC = object()


def f(*shape, low=-2.0, high=2.0, dtype=torch.float32):
    """Numbers spread over a range, the same every time."""
    count = 1
    for size in shape:
        count *= size
    steps = torch.arange(count, dtype=torch.float64) * 0.6180339887498949 + 0.17
    return ((steps % 1.0) * (high - low) + low).to(dtype).reshape(shape)


def i(*shape, low=0, high=5, dtype=torch.int64):
    return f(*shape, low=low, high=high).floor().to(dtype)


def t(values, dtype=None):
    return torch.tensor(values, dtype=dtype)


def z(*shape):
    return torch.complex(f(*shape), f(*shape, low=-1, high=3))


def spd(n):
    a = f(n, n)
    return a @ a.T + n * torch.eye(n)


CASES = [
    # binary functions, promotion
    ("add.Tensor", i(3, dtype=torch.uint8), i(2, 3, dtype=torch.int16)), ("add.Tensor", t([True, False]), t([True, True])),
    ("add.Tensor", i(3, dtype=torch.int32), t(1.5)), ("sub.Tensor", f(2, 3), f(3), {"alpha": 2}), ("div.Tensor", i(4), i(4, low=1)),
    ("div.Tensor_mode", t([-7, 7, -8]), t([2, -2, 3]), {"rounding_mode": "floor"}),
    ("div.Tensor_mode", t([-7.5, 7.5]), t([2.0, -2.0]), {"rounding_mode": "trunc"}), ("maximum", t([True, False]), t([False, False])),
    ("remainder.Tensor", t([-7, 7]), t([3, -3])), ("fmod.Tensor", t([-7.5, 7.0]), t([2.0, -3.0])), ("lt.Tensor", t([True, False]), t([True, True])),
    ("addcdiv", f(3), f(3), f(3, low=1), {"value": 2}), ("hypot", f(3), f(3)), ("atan2", t([0.0, -0.0, 1, -1, 0]), t([-1.0, -1.0, 0, -2, 0])),
    ("copysign.Tensor", t([1.0, -2.0, 3.0]), t([-0.0, 0.0, -5.0])), ("fmax", t([nan, 1.0]), t([2.0, nan])), ("heaviside", t([-1.0, 0, 2]), t(0.5)),
    ("xlogy.Tensor", t([0.0, 2.0]), t([0.0, 3.0])), ("logaddexp", f(4), f(4)), ("gcd", t([12, 0, 9]), t([18, 4, 6])), ("lcm", t([4, 6]), t([6, 0])),
    ("bitwise_left_shift.Tensor", t([1, -3]), t([3, 1])), ("bitwise_right_shift.Tensor", t([-9, 9]), t([1, 2])),
    ("isclose", t([1.0, nan, inf]), t([1.0 + 1e-7, nan, inf]), 1e-5, 1e-8, True), ("ldexp.Tensor", f(3), t([1, 2, -1])),
    ("float_power.Tensor_Tensor", f(3, low=1), t([2, 3, 1])), ("lerp.Scalar", f(3), f(3), 0.3), ("signbit", t([-0.0, 0.0, -1.0])),
    # unary functions
    ("logit", f(4, low=0.1, high=0.9), 0.2), ("nan_to_num", t([nan, inf, -inf, 1.0]), 9.0), ("sinc", t([0.0, 0.5, 2.0])), ("round.decimals", t([1.2345, -0.5]), {"decimals": 2}),
    ("frexp.Tensor", t([0.0, 8.0, -0.3, inf])), ("trunc", t([-1.5, 1.5])), ("expm1", t([1e-6, 2.0])), ("log1p", t([1e-6, 2.0])), ("abs", i(4, low=-3, dtype=torch.int8)),
    ("sigmoid", i(3)), ("angle", t([-1.0, 1.0])), ("isneginf", t([-inf, 1.0])),
    # special functions
    ("lgamma", t([0.5, 3.0, -1.5, 100.0])), ("digamma", t([0.5, 3.0, -1.5])), ("polygamma", 2, t([0.5, 3.0])), ("mvlgamma", f(3, low=3, high=5), 2),
    ("special_zeta", t([2.0, 3.5]), t([1.0, 0.5])), ("igamma", t([0.5, 3.0, 10.0]), t([1.0, 2.0, 12.0])), ("igammac", t([0.5, 3.0, 10.0]), t([1.0, 2.0, 12.0])),
    ("erfc", t([-1.0, 0.5, 5.0])), ("erfinv", t([-0.9, 0.0, 0.999])), ("special_erfcx", t([-1.0, 0.5, 20.0])), ("special_ndtri", t([1e-9, 0.3, 0.99])),
    ("special_log_ndtr", t([-20.0, 0.5, 3.0])), ("special_i0e", t([0.5, 20.0])), ("special_i1", t([-0.5, 9.0])), ("special_bessel_j0", t([0.5, 7.0, 30.0])),
    ("special_bessel_j1", t([-0.5, 7.0, 30.0])), ("special_bessel_y0", t([0.5, 7.0, 30.0])), ("special_bessel_y1", t([0.5, 7.0, 30.0])),
    ("special_modified_bessel_k0", t([0.5, 7.0])), ("special_modified_bessel_k1", t([0.5, 7.0])), ("special_airy_ai", t([-10.0, -1.0, 1.0, 8.0])),
    ("special_chebyshev_polynomial_t", f(4), t([0, 1, 3, 6])), ("special_hermite_polynomial_he", f(3), t(4)), ("special_legendre_polynomial_p", f(3), t([2, 5, 0])),
    ("special_laguerre_polynomial_l", f(3), t([2, 5, 0])), ("special_spherical_bessel_j0", t([0.0, 2.0])), ("special_entr", t([-1.0, 0.0, 0.5])),
    # running
    ("cumprod", f(3, 4), -1), ("cumsum", i(3, 4, dtype=torch.int8), 0), (DYNAMIC, "cummax", f(3, 4), 1), ("cummin", t([3, 1, 1, 2]), 0), ("logcumsumexp", f(3, 4), 0),
    ("diff", f(3, 4), 2, 1), ("trapezoid.x", f(3, 4), t([0.0, 1.0, 3.0, 4.0])), ("gradient.scalarint", f(5), {"spacing": 2.0}),
    # reductions
    ("sum.dim_IntList", i(2, 3, dtype=torch.int32), [-1]), ("mean.dim", f(2, 3, 4), [0, -1], True), ("amax", i(2, 3, dtype=torch.int16), [1]), ("argmax", i(2, 5), -1, True),
    ("max.dim", t([[True, False], [False, False]]), 0), ("all.dim", t([[1, 0], [2, 3]], dtype=torch.uint8), 0), ("var.correction", f(2, 5), [1], {"correction": 0}),
    ("std_mean.correction", f(2, 5), [1], {"correction": 2, "keepdim": True}), ("logsumexp", f(2, 3), [1]), ("count_nonzero", i(2, 4)), ("nansum", t([nan, 1.0])),
    ("norm.ScalarOpt_dim", f(2, 3), 3, [1]), ("linalg_vector_norm", f(2, 3), inf, [0]),
    # order and sets
    ("kthvalue", f(3, 4), 2, -1), ("median", t([3.0, 1.0, 2.0, 4.0])), ("median.dim", t([[3, 1, 2], [6, 5, 4]]), 1), ("nanmedian", t([nan, 1.0, 3.0])), ("mode", t([[1, 2, 2], [3, 3, 1]])),
    ("quantile", f(3, 5), t([0.25, 0.5]), 1), ("quantile.scalar", f(6), 0.3, {"interpolation": "midpoint"}), ("nanquantile.scalar", t([nan, 1.0, 2.0]), 0.5),
    ("_unique2", t([3, 1, 3, 2]), True, True, True), ("unique_consecutive", t([1, 1, 2, 2, 1]), True, True), ("isin.Tensor_Tensor", i(4), t([1, 2])),
    ("searchsorted.Tensor", t([1.0, 3.0, 5.0]), t([[0.0, 3.0], [5.5, nan]])), ("bucketize.Tensor", t([0.0, 3.0]), t([1.0, 3.0]), {"right": True}),
    ("bincount", t([1, 1, 3]), None, 5), ("histc", f(20), 4, -1, 1), ("histogram.bin_ct", f(20), 5), ("sort", t([[3, 1, 2]]), -1, True), ("topk", f(2, 5), 3),
    # scatter and gather
    ("scatter.src", f(2, 3), 1, t([[0, 2], [1, 0]]), f(2, 3)), ("scatter_add", t([True, False, False]), 0, t([1, 1]), t([True, True])),
    ("scatter_reduce.two", f(4), 0, t([0, 0, 2]), f(3), "mean", {"include_self": False}), ("scatter_reduce.two", i(4), 0, t([0, 0, 2]), i(3), "amin", {"include_self": False}),
    ("index_add", f(3, 4), 1, t([0, 2]), f(3, 2), {"alpha": 2}), ("index_copy", f(3, 4), 0, t([2, 0]), f(2, 4)), ("index_fill.int_Scalar", f(3, 4), 1, t([0, -1]), 7.0),
    ("index_reduce", f(3, 2), 0, t([0, 0, 1]), f(3, 2), "prod"), ("put", f(2, 3), t([0, 5]), t([9.0, 8.0])), ("select_scatter", f(2, 3), f(2), 1, -1),
    ("slice_scatter", f(4, 3), f(2, 3), 0, 1, 4, 2), ("diagonal_scatter", f(3, 4), f(3), 1), ("masked_scatter", f(4), t([True, False, True, True]), t([9.0, 8.0, 7.0])),
    ("take_along_dim", f(2, 3), t([[0, 2]]), 1), ("index.Tensor", f(3, 4, 5), [None, t([0, 2]), t([1, 1])]), ("index.Tensor", f(3, 4), [t([True, False, True]), None]),
    ("index_put", f(3, 4), [t([0, 2]), t([1, 1])], t([9.0, 8.0]), True), ("gather", f(2, 3), -1, t([[0, 0], [2, 1]])), ("nonzero_static", t([1, 0, 2]), {"size": 4}),
    ("index_add", f(0, 4), 0, t([], dtype=torch.int64), f(0, 4)),
    # layout
    ("diagonal", f(2, 3, 4), -1, 0, 2), ("diag_embed", f(2, 3), 1), ("diag", f(3, 3), -1), ("block_diag", [f(2, 2), f(1, 3), t(4.0)]), ("trace", i(3, 3, dtype=torch.int32)),
    ("as_strided", f(12), [2, 3], [1, 4], 2), ("unfold", f(2, 7), 1, 3, 2), ("rot90", f(2, 3), 3, [0, 1]), ("roll", f(2, 3), [1, -1], [0, 1]), (DYNAMIC, "roll", f(2, 3), [2]),
    ("hstack", [f(2, 1), f(2, 3)]), ("dstack", [f(3), f(3)]), ("column_stack", [f(3), f(3, 2)]), ("meshgrid.indexing", [f(2), f(3)], {"indexing": "xy"}), ("cartesian_prod", [f(2), f(3)]),
    ("combinations", f(4), 2), ("repeat_interleave.self_Tensor", f(3, 2), t([1, 0, 2]), 0), ("repeat_interleave.self_int", f(3, 2), 2, 1), ("tensor_split.sections", f(7), 3),
    ("tensor_split.indices", f(7), [2, 5]), ("_chunk_cat", [f(3, 2), f(5, 1)], 0, 2), ("sum_to_size", f(2, 3), [1, 3]), ("tril", i(3, 3, dtype=torch.int32), 1),
    ("movedim.int", f(2, 3, 4), 0, -1), ("unflatten.int", f(2, 6), 1, [2, -1]), ("flatten.using_ints", t(3.0)),
    # windows, folding, grids
    ("im2col", f(1, 2, 5, 4), [2, 2], [1, 1], [1, 0], [2, 1]), ("col2im", f(1, 8, 4), [3, 3], [2, 2], [1, 1], [0, 0], [1, 1]), ("pixel_unshuffle", f(1, 2, 4, 4), 2), ("pixel_shuffle", f(2, 8, 2, 2), 2),
    ("channel_shuffle", f(1, 6, 2, 2), 3), ("embedding_bag.padding_idx", f(5, 3), t([0, 1, 4, 2]), t([0, 2, 2]), False, 1, False, None, False, 1),
    ("grid_sampler_3d", f(1, 2, 3, 3, 3), f(1, 2, 2, 2, 3, low=-1.2, high=1.2), 0, 2, False), ("affine_grid_generator", f(1, 2, 3), [1, 1, 3, 2], True),
    ("max_unpool2d", f(1, 1, 2, 2), t([[[[0, 3], [8, 15]]]]), [4, 4]), ("fractional_max_pool2d", f(1, 2, 6, 7), [2, 2], [3, 4], f(1, 2, 2, low=0, high=1)),
    ("avg_pool2d", f(1, 1, 5, 5), [2, 2], [2, 2], [1, 1], True, True), ("adaptive_avg_pool2d", f(1, 2, 5, 7), [3, 2]), ("adaptive_max_pool1d", f(1, 2, 7), [3]),
    # losses and distances
    ("cross_entropy_loss", f(3, 4), t([0, 3, -100]), f(4, low=0.5), 1, -100, 0.1), ("cross_entropy_loss", f(3, 4), f(3, 4, low=0, high=1), None, 2), ("nll_loss_nd", f(2, 3, 2), t([[0, 2], [1, 1]])),
    ("huber_loss", f(4), f(4, low=0), 0, 0.5), ("binary_cross_entropy_with_logits", f(4), f(4, low=0, high=1), None, t(2.0)), ("kl_div", f(4), f(4, low=0, high=1), 2),
    ("multilabel_margin_loss", f(2, 4), t([[3, 0, -1, 1], [0, 1, 2, -1]])), ("multi_margin_loss", f(2, 3), t([0, 2]), 2), ("triplet_margin_loss", f(2, 3), f(2, 3, low=0), f(2, 3, low=-1)),
    ("poisson_nll_loss", f(3), t([0.0, 1.0, 5.0]), True, True, 1e-8, 0), ("cosine_embedding_loss", f(2, 3), f(2, 3, low=0), t([1.0, -1.0]), 0.1), ("cdist", f(2, 3), f(4, 3), 1.0), ("pdist", f(4, 3), 2.0),
    ("renorm", f(3, 4), 2, 0, 1.5), ("pairwise_distance", f(2, 3), f(2, 3, low=0), 2.0, 1e-6, True), ("cosine_similarity", f(2, 3), f(2, 3, low=0), 1),
    # Fourier
    ("fft_fft", f(2, 5)), ("fft_ifft", z(6), 4, -1, "ortho"), ("fft_rfft", f(2, 6), 8), ("fft_irfft", z(2, 4)), ("fft_hfft", z(4), 7), ("fft_ihfft", f(6)), ("fft_fftn", z(2, 3)), ("fft_irfftn", z(3, 4)),
    ("fft_fftshift", f(5)), ("fft_fft2", f(2, 3, 4)), (DYNAMIC, "fft_rfft", f(2, 6)), ("stft", f(2, 16), 8, 4, None, torch.hann_window(8), False, True, True),
    # complex
    ("mul.Tensor", z(3), z(3)), ("div.Tensor", z(3), f(3, low=1)), ("add.Tensor", f(3), z(3)), ("abs", z(3)), ("sqrt", z(4)), ("log", z(4)), ("exp", z(3)), ("matmul", z(2, 3), z(3, 2)), ("view_as_real", z(3)),
    ("tanh", z(3)), ("cat", [z(2), f(2)]), ("permute", z(2, 3), [1, 0]), ("sum", z(3)), ("polar", f(3, low=0), f(3)), ("real", z(3)), ("acos", z(3)), ("pow.Tensor_Scalar", z(3), 2.5), ("eq.Tensor", z(2), z(2)),
    # linear algebra
    ("linalg_inv", f(3, 3)), ("linalg_solve", f(2, 3, 3) + 3 * torch.eye(3), f(2, 3, 1)), ("lgamma", f(2, 0, 3)), ("sum.dim_IntList", f(2, 0, 3), [-1]), ("linalg_cholesky", spd(3)), ("linalg_qr", f(4, 3)), ("linalg_lu", f(3, 3)), ("linalg_lu_factor", f(4, 3)), ("linalg_eigvalsh", spd(3)),
    ("linalg_svdvals", f(3, 2)), ("linalg_det", f(3, 3)), ("linalg_slogdet", f(3, 3)), ("matrix_exp", f(3, 3)), ("linalg_matrix_power", f(3, 3), -2), ("linalg_pinv.atol_rtol_tensor", f(4, 2)), ("tensordot", f(2, 3, 4), f(4, 3, 5), [2, 1], [0, 1]),
    ("kron", f(2, 2), f(1, 3)), ("linalg_cross", f(2, 3), f(2, 3)), ("bilinear", f(4, 2), f(4, 3), f(5, 2, 3), f(5)), ("linalg_matrix_norm", f(2, 3, 3), 1), ("linalg_cond", f(3, 3)), ("inner", f(2, 3), f(4, 5, 3)),
    ("linalg_solve_triangular", torch.tril(f(3, 3)) + 2 * torch.eye(3), f(3, 2), {"upper": False}), ("geqrf", f(3, 3)), ("einsum", "bij,bjK->bK", [f(2, 3, 4), f(2, 4, 5)]), ("einsum", "...ij,...jk->...ik", [f(2, 1, 2, 3), f(4, 3, 2)]),
    # kernels that the runtime lacks
    ("where.self", t([True, False]), t([True, True]), t([False, False])), ("mm", i(2, 3, dtype=torch.int8), i(3, 2, dtype=torch.int8)), ("conv1d", i(1, 1, 5), i(1, 1, 2)), ("cumsum", t([True, True]), 0),
    ("atan", f(3, dtype=torch.float64)), ("nonzero", f(3, dtype=torch.float64)), ("clamp", i(4, dtype=torch.int16), 1, 3), ("mul.Tensor", f(3, dtype=torch.bfloat16), f(3, dtype=torch.bfloat16)),
    # normalization and the like
    ("native_layer_norm", f(2, 3), [3], None, None, 1e-5), ("native_group_norm", f(2, 4, 3), f(4), f(4), 2, 4, 3, 2, 1e-5), ("native_batch_norm", f(4, 3), f(3), f(3), f(3), f(3, low=1), True, 0.1, 1e-5),
    ("_softmax_backward_data", f(2, 3), f(2, 3, low=0, high=1), 1, torch.float32), ("linspace", 0.0, 1.0, 5), ("logspace", 0.0, 2.0, 3), ("_safe_softmax", t([[-inf, -inf], [1.0, 2.0]]), 1),
    ("fake_quantize_per_tensor_affine", f(4), 0.1, 2, -8, 7),
    # recurrent layers: projections, packed sequences
    ("lstm.input", f(4, 2, 3), [f(1, 2, 2), f(1, 2, 5)], [f(20, 3), f(20, 2), f(20), f(20), f(2, 5)], True, 1, 0.0, False, False, False),
    ("lstm.input", f(2, 4, 3), [f(4, 2, 2, low=-1), f(4, 2, 5)], [f(20, 3), f(20, 2), f(2, 5), f(20, 3, low=-1), f(20, 2, low=0), f(2, 5, low=-1), f(20, 4), f(20, 2), f(2, 5), f(20, 4, low=-1), f(20, 2), f(2, 5, low=0)], False, 2, 0.0, False, True, True),
    ("_pack_padded_sequence", f(3, 4, 2), t([4, 2, 1]), True), (DYNAMIC, "_pack_padded_sequence", f(5, 3, 2, 2), t([4, 2, 2]), False),
    ("_pad_packed_sequence", f(7, 2), t([3, 2, 1, 1]), True, -1.0, 6), (DYNAMIC, "_pad_packed_sequence", f(5, 2, 2), t([3, 2]), False, 0.0, 0),
    ("lstm.data", f(7, 3), t([3, 2, 1, 1]), [f(2, 3, 2), f(2, 3, 5)], [f(20, 3), f(20, 2), f(2, 5), f(20, 3, low=-1), f(20, 2, low=0), f(2, 5, low=-1)], False, 1, 0.0, False, True),
    ("gru.data", f(5, 3), t([3, 2]), f(1, 3, 4), [f(12, 3), f(12, 4), f(12), f(12)], True, 1, 0.0, False, False),
    # what windows reach beyond an input, sizes that fall between two
    ("avg_pool2d", f(1, 2, 5, 7), [2, 2], [2, 2], [0, 0], True, True), ("avg_pool1d", f(1, 2, 6), [3], [2], [0], True, True),
    # means of integers, sampling places that ONNX Runtime's modes miss
    ("avg_pool2d", i(1, 2, 5, 5, low=-9, high=9), [2, 3], [1, 1], [1, 1], False, False), ("avg_pool2d", i(1, 2, 5, 5, low=-9, high=9), [2, 2], [2, 2], [0, 0], False, True, 3),
    ("avg_pool2d", i(1, 2, 5, 5, low=-9, high=9), [2, 2], [2, 2], [1, 1], True, True, -3),
    ("upsample_nearest1d.vec", f(1, 2, 5), None, [0.6]), (DYNAMIC, "upsample_nearest1d.vec", f(1, 1, 15), None, [0.6]), ("upsample_nearest2d.vec", f(1, 1, 5, 7), None, [1.7, 0.3]),
    ("_upsample_nearest_exact2d.vec", f(1, 1, 5, 7), None, [1.4, 0.6]), ("upsample_nearest1d", f(1, 1, 49), [22]), ("_upsample_nearest_exact1d", f(1, 1, 14), [41]), ("upsample_nearest1d", f(1, 1, 4), [9], 2.3),
    ("_upsample_bilinear2d_aa", f(1, 2, 7, 5), [3, 8], True), ("_upsample_bicubic2d_aa", f(1, 2, 7, 9), [3, 2], True), (DYNAMIC, "_upsample_bilinear2d_aa", f(1, 2, 7, 5), [3, 2], True),
    ("_upsample_bilinear2d_aa", f(1, 2, 7, 5), [3, 8], False), ("upsample_bicubic2d", f(1, 1, 4, 4), [7, 2], True), ("upsample_linear1d.vec", f(1, 1, 5), None, False, [1.7]),
    # what op_db's samples found
    ("cosine_similarity", f(1, 2, 3), f(2, 1, 3), -2), ("diff", f(3, 4), 0, 1, f(3, 1), f(3, 2)), ("addmm", f(3), f(2, 0), f(0, 3), {"beta": 0.2, "alpha": 0.6}),
    ("_upsample_bilinear2d_aa", f(1, 2, 7, 9), [3, 3], False, 1.7, 0.9), ("upsample_nearest2d", f(1, 1, 5, 6), [3, 4], 1.7, 0.9), (DYNAMIC, "tensor_split.indices", f(5, 3), [1, -1, 9], 0),
    ("_scaled_dot_product_flash_attention_for_cpu", f(1, 2, 3, 4), f(1, 2, 5, 4), f(1, 2, 5, 4, low=0), {"attn_mask": f(3, 5)}),
    (DYNAMIC, "_scaled_dot_product_flash_attention_for_cpu", f(1, 2, 3, 4), f(1, 2, 5, 4), f(1, 2, 5, 4, low=0), 0.0, True, {"scale": 0.3}),
    ("linalg_pinv.atol_rtol_tensor", f(3, 3), {"rtol": t(1.0)}), ("linalg_pinv.atol_rtol_tensor", f(3, 3), {"hermitian": True}),
    # complex factors, real results of complex tensors
    ("einsum", "bix,iox->box", [z(2, 3, 4), z(3, 2, 4)]), ("einsum", "ij,jk,k->i", [z(2, 3), z(3, 2), z(2)]),
    ("conv1d", z(1, 2, 5), z(3, 2, 2), z(3)), ("conv2d", z(1, 2, 4, 4), z(2, 2, 2, 2), None, [2, 2]), ("linear", z(2, 3), z(4, 3), z(4)),
    ("linalg_cross", z(2, 3), z(2, 3)), ("full_like", z(3), 2.5, {"dtype": torch.float64}), ("zeros_like", z(3), {"dtype": torch.float32}), ("float_power.Tensor_Tensor", z(3), z(3)),
    ("unsafe_split.Tensor", z(5), 2), ("im2col", z(1, 2, 3, 3), [2, 2], [1, 1], [0, 0], [1, 1]), ("margin_ranking_loss", i(4), i(4, low=1), i(4, low=-2)),
    (DYNAMIC, "_shape_as_tensor", f(2, 3, 4)),
    # grouped products, covariances
    ("_grouped_mm", f(5, 4), f(3, 4, 8), t([2, 2, 5], dtype=torch.int32)), ("_grouped_mm", f(5, 4), f(2, 4, 4), t([1, 5], dtype=torch.int32)),
    ("_grouped_mm", f(2, 3, 4), f(2, 4, 8)), ("_grouped_mm", f(2, 3, 4), f(4, 8), t([2, 8], dtype=torch.int32)),
    ("_grouped_mm", f(4, 8), f(8, 4), t([4, 8], dtype=torch.int32)),
    ("cov", f(3, 4)), ("cov", f(4)), ("cov", i(2, 5), {"correction": 0, "fweights": t([1, 2, 0, 1, 3]), "aweights": f(5, low=0.1)}),
    (DYNAMIC, "cov", f(2, 5), {"aweights": f(5, low=0.1)}), ("corrcoef", f(3, 4)), (DYNAMIC, "corrcoef", f(3, 4)), ("corrcoef", f(4)), ("matrix_H", f(2, 3)),
    # quantization by token and group; integer products
    ("quantized_decomposed::choose_qparams_symmetric.tensor", f(3, 4), -127, 127, 1e-5, torch.int8),
    ("quantized_decomposed::choose_qparams_per_token", f(3, 4), torch.int8),
    (DYNAMIC, "quantized_decomposed::choose_qparams_per_token_asymmetric", f(3, 4, low=-1), torch.int8),
    ("quantized_decomposed::quantize_per_token", f(3, 4), f(3, 1, low=0.01, high=0.02), i(3, 1), -128, 127, torch.int8),
    ("quantized_decomposed::dequantize_per_token", i(3, 4, dtype=torch.int8), f(3, 1), i(3, 1), -128, 127, torch.int8, torch.float32),
    ("quantized_decomposed::quantize_per_channel_group", f(2, 8), f(2, 2, low=0.1), i(2, 2, dtype=torch.int32), -8, 7, torch.int8, 4),
    ("quantized_decomposed::dequantize_per_channel_group", i(2, 8, low=-8, high=8, dtype=torch.int8), f(2, 2), None, -8, 7, torch.int8, 4, torch.float32),
    ("quantized_decomposed::fake_quant_per_channel", f(3, 2), f(3, low=0.1), i(3, dtype=torch.int32), 0, -8, 7),
    ("quantized_decomposed::convert_element_type.no_fuse", f(3), torch.int32),
    ("_int_mm", i(17, 8, low=-128, high=128, dtype=torch.int8), i(8, 8, low=-128, high=128, dtype=torch.int8)),
    ("_weight_int8pack_mm", f(2, 16), i(4, 16, low=-128, high=128, dtype=torch.int8), f(4)),
]


def encoded(value):
    if isinstance(value, torch.Tensor):
        pairs = value.is_complex()
        if pairs:
            value = torch.view_as_real(value.resolve_conj())
        kind = str(value.dtype).removeprefix("torch.")
        data = value.double() if value.is_floating_point() else value.to(torch.int64)
        out = {"dtype": kind, "shape": list(value.shape), "data": [float(f"{x:.9g}") if isinstance(x, float) else x for x in data.reshape(-1).tolist()]}
        if kind == "float64":
            out["data"] = data.reshape(-1).tolist()
        if pairs:
            out["complex"] = True
        return out
    if isinstance(value, torch.dtype):
        return "dtype:" + str(value).removeprefix("torch.")
    if isinstance(value, (list, tuple)):
        return [encoded(v) for v in value]
    return value


def main():
    rows = []
    for number, case in enumerate(CASES):
        dynamic = case[0] is DYNAMIC
        name, *args = case[1:] if dynamic else case
        kwargs = args.pop() if args and isinstance(args[-1], dict) else {}
        space, op = name.split("::") if "::" in name else ("aten", name)
        op, _, overload = op.partition(".")
        function = getattr(getattr(getattr(torch.ops, space), op), overload or "default")
        results = function(*args, **kwargs)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        if op in ("embedding_bag", "native_batch_norm"):
            results = results[:1]
        rows.append({"name": f"{number} {name}", "op": f"{space}::{op}", "overload": overload, "args": encoded(args),
                     "kwargs": {k: encoded(v) for k, v in kwargs.items()}, "results": encoded(results)})
        if dynamic:
            rows[-1]["dynamic"] = True
        if any(isinstance(r, torch.Tensor) and r.dtype == torch.bfloat16 for r in results):
            rows[-1]["tolerance"] = 1e-2
    path = pathlib.Path(__file__).with_name("cases.json")
    path.write_text("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]\n")


main()
