#include "models/plan/gemm_catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "models/base/error.h"

namespace brink::plan {
namespace {

const std::string kDefault = std::string(BRINK_SOURCE_DIR) + "/configs/tactics/h100_cublaslt.json";

TEST(GemmCatalogue, DefaultFileIsReadAndStatesItsSource) {
  const GemmCatalogue catalogue = GemmCatalogue::load(kDefault);
  EXPECT_EQ(catalogue.sm_count, 132);
  EXPECT_EQ(catalogue.default_workspace, mib(32));
  EXPECT_NE(catalogue.source.find("Not an enumeration of the library"), std::string::npos);
  for (const Precision precision : {Precision::bf16, Precision::fp8, Precision::int8})
    EXPECT_TRUE(std::any_of(catalogue.families.begin(), catalogue.families.end(),
                            [&](const GemmFamily& f) { return f.precision == precision; }));
}

// Stage counts that the names of public H100 kernels show follow from the shared memory a stage takes.
TEST(GemmCatalogue, StagesAgreeWithPublicKernelNames) {
  struct Known {
    std::int64_t features, tokens, stages;
  };
  const std::vector<Known> known = {{64, 8, 16},  {64, 64, 13},  {96, 64, 10},  {96, 128, 7},  {80, 64, 11},
                                    {80, 128, 8}, {128, 8, 12},  {128, 16, 11}, {128, 32, 10}, {128, 48, 9},
                                    {144, 64, 8}, {144, 128, 6}, {192, 32, 7},  {192, 192, 4}, {256, 8, 6}};
  const GemmFamily family = GemmCatalogue::load(kDefault).families.front();
  for (const Known& want : known) {
    const auto found = std::find_if(family.tiles.begin(), family.tiles.end(), [&](const GemmTile& tile) {
      return tile.features == want.features && tile.tokens == want.tokens;
    });
    ASSERT_NE(found, family.tiles.end()) << want.features << 'x' << want.tokens;
    EXPECT_EQ(found->stages, want.stages) << want.features << 'x' << want.tokens;
  }
}

struct Bad {
  std::string setting, pointer, said;
};

TEST(GemmCatalogue, BadFilesNameThePointer) {
  const std::vector<Bad> cases = {
      {"/schema_version=2", "/schema_version", "1"},
      {"/source=", "/source", "where the object comes from"},
      {"/nam=x", "/nam", "name"},
      {"/default_workspace_mib=-1", "/default_workspace_mib", "0"},
      {"/machine/sm_count=0", "/machine/sm_count", "1"},
      {"/machine/sm_count=1.5", "/machine/sm_count", "integer"},
      {"/machine/clock_hz=0", "/machine/clock_hz", "Hz"},
      {"/machine/mma_efficiency=1.2", "/machine/mma_efficiency", "1"},
      {"/machine/source=", "/machine/source", "where the object comes from"},
      {"/machine/hbm=3", "/machine/hbm", "hbm_bytes_per_s"},
      {"/tile_sets/0/tiles/0/tile=[64]", "/tile_sets/0/tiles/0/tile", "2 integers"},
      {"/tile_sets/0/tiles/0/tile=[64,0]", "/tile_sets/0/tiles/0/tile/1", "1"},
      {"/tile_sets/0/tiles/0/tile=[64,\"a\"]", "/tile_sets/0/tiles/0/tile/1", "integer"},
      {"/tile_sets/0/tiles/0/rows=feature", "/tile_sets/0/tiles/0/rows", "features"},
      {"/tile_sets/0/tiles/0/stages=0", "/tile_sets/0/tiles/0/stages", "1"},
      {"/tile_sets/0/tiles/0/clusters=[]", "/tile_sets/0/tiles/0/clusters", "[1, 1]"},
      {"/tile_sets/0/tiles/0/clusters/0=[1,32]", "/tile_sets/0/tiles/0/clusters/0/1", "16"},
      {"/tile_sets/0/tiles=[]", "/tile_sets/0/tiles", "at least one tile"},
      {"/tile_sets/1/name=wgmma", "/tile_sets/1/name", "differ"},
      {"/families/0/precision=bf17", "/families/0/precision", "bf16"},
      {"/families/0/precision=w4a16", "/families/0/precision", "bf16"},
      {"/families/0/tiles=wgma", "/families/0/tiles", "wgmma"},
      {"/families/0/splits=[]", "/families/0/splits", "ascending from 1"},
      {"/families/0/splits=[2]", "/families/0/splits/0", "ascending from 1"},
      {"/families/0/splits=[1,3,3]", "/families/0/splits/2", "ascending from 1"},
      {"/families/0/splits=[1,9999]", "/families/0/splits/1", "1024"},
      {"/families/0/reductions=[]", "/families/0/reductions", "partial sums"},
      {"/families/0/reductions/0/name=atomic", "/families/0/reductions/0/name", "compute_type"},
      {"/families/0/reductions/0/partials=fp64", "/families/0/reductions/0/partials", "fp32"},
      {"/families/0/align_k=0", "/families/0/align_k", "1"},
      {"/families/0/k_step=0", "/families/0/k_step", "1"},
      {"/families/0/mma_per_sm_cycle=0", "/families/0/mma_per_sm_cycle", ""},
      {"/families/0/element_bytes=16", "/families/0/element_bytes", "8"},
      {"/families/1/align_n=8", "/families", "align_n"},
      {"/families=[]", "/families", "align_n"},
  };
  const Json good = load_json(kDefault);
  for (const Bad& bad : cases) {
    SCOPED_TRACE(bad.setting);
    Json document = good;
    apply_setting(document, bad.setting);
    try {
      (void)GemmCatalogue::from_json(document);
      ADD_FAILURE() << "was accepted";
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), bad.pointer);
      EXPECT_NE(error.allowed().find(bad.said), std::string::npos) << error.what();
    }
  }
}

TEST(GemmCatalogue, MissingFileIsNamed) {
  try {
    (void)GemmCatalogue::load("no/such/catalogue.json");
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("no/such/catalogue.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace brink::plan
