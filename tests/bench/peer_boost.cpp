/* Boost Graph Library: compressed sparse rows, the most compact of its graphs that serves. */
#include "peers.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/dominator_tree.hpp>
#include <boost/graph/strong_components.hpp>

namespace {

/* All edges in the order of the rows, as Boost's constructors read them. */
class edge_iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::pair<uint32_t, uint32_t>;
    using difference_type = std::ptrdiff_t;
    using reference = value_type;
    struct pointer {
        value_type value;
        const value_type *operator->() const
        {
            return &value;
        }
    };

    edge_iterator() = default;
    edge_iterator(const bench_graph *graph, uint64_t edge) : graph(graph), edge(edge)
    {
        settle();
    }
    value_type operator*() const
    {
        return {node, graph->targets[edge]};
    }
    pointer operator->() const
    {
        return {**this};
    }
    edge_iterator &operator++()
    {
        edge++;
        settle();
        return *this;
    }
    edge_iterator operator++(int)
    {
        edge_iterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const edge_iterator &other) const
    {
        return edge == other.edge;
    }
    bool operator!=(const edge_iterator &other) const
    {
        return edge != other.edge;
    }

  private:
    void settle()
    {
        while (edge < graph->edge_count && graph->begin[node + 1] <= edge)
            node++;
    }
    const bench_graph *graph = nullptr;
    uint64_t edge = 0;
    uint32_t node = 0;
};

template <class Direction>
using rows = boost::compressed_sparse_row_graph<Direction, boost::no_property, boost::no_property, boost::no_property,
                                                uint32_t, uint32_t>;

} // namespace

namespace boost {

/* The concept that the dominators ask for; the graph itself leaves it out. */
template <class V, class E, class G, class Vertex, class Index>
Index degree(Vertex v, const compressed_sparse_row_graph<bidirectionalS, V, E, G, Vertex, Index> &g)
{
    return static_cast<Index>(in_degree(v, g) + out_degree(v, g));
}

} // namespace boost

struct bench_answer bench_boost_components(struct bench_graph *graph)
{
    rows<boost::directedS> g(boost::edges_are_sorted, edge_iterator(graph, 0), edge_iterator(graph, graph->edge_count),
                             graph->node_count);
    bench_graph_free_rows(graph);
    struct bench_answer answer = {1e9, 0};
    for (int i = 0; i < BENCH_REPEATS; i++) {
        double started = bench_now();
        std::vector<uint32_t> component(graph->node_count);
        answer.check = boost::strong_components(
            g, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, g)));
        answer.seconds = std::min(answer.seconds, bench_now() - started);
    }
    return answer;
}

struct bench_answer bench_boost_dominators(struct bench_graph *graph)
{
    rows<boost::bidirectionalS> g(boost::edges_are_unsorted_multi_pass, edge_iterator(graph, 0),
                                  edge_iterator(graph, graph->edge_count), graph->node_count);
    bench_graph_free_rows(graph);
    double started = bench_now();
    const uint32_t none = UINT32_MAX;
    std::vector<uint32_t> idom(graph->node_count, none);
    boost::lengauer_tarjan_dominator_tree(
        g, graph->root, boost::make_iterator_property_map(idom.begin(), boost::get(boost::vertex_index, g)));
    double seconds = bench_now() - started;
    uint64_t check = 0;
    for (uint32_t v = 0; v < graph->node_count; v++)
        if (idom[v] != none)
            check += bench_mix(v, idom[v]);
    return {seconds, check};
}
