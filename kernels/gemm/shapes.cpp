#include "kernels/gemm/shapes.h"

namespace brink::kernels {

const std::vector<GemmShape>& gemm_shapes() {
  static const std::vector<GemmShape> shapes = {
      // Llama-3.1-8B on one GPU: the four layers and the LM head of the end-to-end group.
      {6144, 4096, "qkv llama-3.1-8b tp1"},
      {4096, 4096, "o llama-3.1-8b tp1; o llama-2-7b tp1"},
      {28672, 4096, "gate_up llama-3.1-8b tp1"},
      {4096, 14336, "down llama-3.1-8b tp1"},
      {128256, 4096, "lm_head llama-3.1-8b tp1"},
      // Llama-2-7B: no grouped queries, n not a multiple of 256 in gate_up.
      {12288, 4096, "qkv llama-2-7b tp1"},
      {22016, 4096, "gate_up llama-2-7b tp1"},
      {4096, 11008, "down llama-2-7b tp1"},
      // Qwen2.5-7B: hidden 3584, an odd number of 512s.
      {4608, 3584, "qkv qwen2.5-7b tp1"},
      {37888, 3584, "gate_up qwen2.5-7b tp1"},
      {3584, 18944, "down qwen2.5-7b tp1: the longest k at small n, where split-K pays"},
      // Qwen3-14B.
      {7168, 5120, "qkv qwen3-14b tp1"},
      {34816, 5120, "gate_up qwen3-14b tp1"},
      {5120, 17408, "down qwen3-14b tp1"},
      // Llama-3.1-70B, tensor parallel 4 and 8: narrow ranks, where one wave is not filled.
      {1280, 8192, "qkv llama-3.1-70b tp8"},
      {8192, 1024, "o llama-3.1-70b tp8: short k"},
      {7168, 8192, "gate_up llama-3.1-70b tp8"},
      {8192, 3584, "down llama-3.1-70b tp8"},
      {2560, 8192, "qkv llama-3.1-70b tp4"},
      {14336, 8192, "gate_up llama-3.1-70b tp4"},
      {8192, 7168, "down llama-3.1-70b tp4"},
      // Llama-3.1-405B, tensor parallel 8.
      {2304, 16384, "qkv llama-3.1-405b tp8"},
      {13312, 16384, "gate_up llama-3.1-405b tp8"},
      {16384, 6656, "down llama-3.1-405b tp8"},
  };
  return shapes;
}

const std::vector<std::int64_t>& gemm_workspaces() {
  static const std::vector<std::int64_t> bytes = {std::int64_t{1} << 10, std::int64_t{4} << 20, std::int64_t{32} << 20};
  return bytes;
}

const std::vector<std::int64_t>& gemm_row_grid() {
  static const std::vector<std::int64_t> rows = {1,   2,   4,   8,   16,  24,  32,  48,   64,   80,   96,   128,
                                                 160, 192, 256, 320, 384, 512, 768, 1024, 1536, 2048, 4096, 8192};
  return rows;
}

}  // namespace brink::kernels
