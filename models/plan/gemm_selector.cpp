#include "models/plan/gemm_selector.h"

#include <utility>

namespace brink::plan {

GemmSelector::GemmSelector(GemmCatalogue catalogue, GemmSelectorOptions options, TacticNames& names)
    : catalogue_(std::move(catalogue)), options_(options), names_(names) {}

}  // namespace brink::plan
