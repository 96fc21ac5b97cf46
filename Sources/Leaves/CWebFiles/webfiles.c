// The files of web/ inside the binary, read by the compiler itself (#embed, C23).
//
//     web/query/Graph.js ─#embed─▶ constant bytes of the binary ─▶ { name, bytes, size } ─▶ WebAssets
//
// Swift has no such directive, and SwiftPM's `.embedInCode` writes array literals: with uPlot those take the compiler 40
// seconds, this file takes a fraction of one. Each file of web/ stands here twice: its bytes, and its line in the table.
// uPlot is there if `make setup` has fetched it; the script touches this file, so that the next build looks again.
#include "webfiles.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char alertmanager_Addresses_js[] = {
#embed "../../../web/alertmanager/Addresses.js"
};
static const unsigned char alertmanager_AffectedAlerts_js[] = {
#embed "../../../web/alertmanager/AffectedAlerts.js"
};
static const unsigned char alertmanager_AlertGroup_js[] = {
#embed "../../../web/alertmanager/AlertGroup.js"
};
static const unsigned char alertmanager_AlertsLogic_js[] = {
#embed "../../../web/alertmanager/AlertsLogic.js"
};
static const unsigned char alertmanager_AlertsPage_css[] = {
#embed "../../../web/alertmanager/AlertsPage.css"
};
static const unsigned char alertmanager_AlertsPage_js[] = {
#embed "../../../web/alertmanager/AlertsPage.js"
};
static const unsigned char alertmanager_Api_js[] = {
#embed "../../../web/alertmanager/Api.js"
};
static const unsigned char alertmanager_HistoryLogic_js[] = {
#embed "../../../web/alertmanager/HistoryLogic.js"
};
static const unsigned char alertmanager_HistoryPage_css[] = {
#embed "../../../web/alertmanager/HistoryPage.css"
};
static const unsigned char alertmanager_HistoryPage_js[] = {
#embed "../../../web/alertmanager/HistoryPage.js"
};
static const unsigned char alertmanager_Labels_css[] = {
#embed "../../../web/alertmanager/Labels.css"
};
static const unsigned char alertmanager_Labels_js[] = {
#embed "../../../web/alertmanager/Labels.js"
};
static const unsigned char alertmanager_MatcherField_css[] = {
#embed "../../../web/alertmanager/MatcherField.css"
};
static const unsigned char alertmanager_MatcherField_js[] = {
#embed "../../../web/alertmanager/MatcherField.js"
};
static const unsigned char alertmanager_Matchers_js[] = {
#embed "../../../web/alertmanager/Matchers.js"
};
static const unsigned char alertmanager_Refresh_js[] = {
#embed "../../../web/alertmanager/Refresh.js"
};
static const unsigned char alertmanager_RouteTree_css[] = {
#embed "../../../web/alertmanager/RouteTree.css"
};
static const unsigned char alertmanager_RouteTree_js[] = {
#embed "../../../web/alertmanager/RouteTree.js"
};
static const unsigned char alertmanager_RoutesLogic_js[] = {
#embed "../../../web/alertmanager/RoutesLogic.js"
};
static const unsigned char alertmanager_Shell_css[] = {
#embed "../../../web/alertmanager/Shell.css"
};
static const unsigned char alertmanager_SilenceForm_css[] = {
#embed "../../../web/alertmanager/SilenceForm.css"
};
static const unsigned char alertmanager_SilenceForm_js[] = {
#embed "../../../web/alertmanager/SilenceForm.js"
};
static const unsigned char alertmanager_SilencesLogic_js[] = {
#embed "../../../web/alertmanager/SilencesLogic.js"
};
static const unsigned char alertmanager_SilencesPage_css[] = {
#embed "../../../web/alertmanager/SilencesPage.css"
};
static const unsigned char alertmanager_SilencesPage_js[] = {
#embed "../../../web/alertmanager/SilencesPage.js"
};
static const unsigned char alertmanager_StatusPage_css[] = {
#embed "../../../web/alertmanager/StatusPage.css"
};
static const unsigned char alertmanager_StatusPage_js[] = {
#embed "../../../web/alertmanager/StatusPage.js"
};
static const unsigned char alertmanager_Times_js[] = {
#embed "../../../web/alertmanager/Times.js"
};
static const unsigned char alertmanager_WhyLogic_js[] = {
#embed "../../../web/alertmanager/WhyLogic.js"
};
static const unsigned char alertmanager_WhyPanel_css[] = {
#embed "../../../web/alertmanager/WhyPanel.css"
};
static const unsigned char alertmanager_WhyPanel_js[] = {
#embed "../../../web/alertmanager/WhyPanel.js"
};
static const unsigned char alertmanager_app_js[] = {
#embed "../../../web/alertmanager/app.js"
};
static const unsigned char alertmanager_icon_svg[] = {
#embed "../../../web/alertmanager/icon.svg"
};
static const unsigned char alertmanager_index_html[] = {
#embed "../../../web/alertmanager/index.html"
};
static const unsigned char app_Api_js[] = {
#embed "../../../web/app/Api.js"
};
static const unsigned char app_Dom_js[] = {
#embed "../../../web/app/Dom.js"
};
static const unsigned char app_Preferences_js[] = {
#embed "../../../web/app/Preferences.js"
};
static const unsigned char app_Settings_js[] = {
#embed "../../../web/app/Settings.js"
};
static const unsigned char app_app_js[] = {
#embed "../../../web/app/app.js"
};
static const unsigned char app_base_css[] = {
#embed "../../../web/app/base.css"
};
static const unsigned char app_icon_svg[] = {
#embed "../../../web/app/icon.svg"
};
static const unsigned char app_index_html[] = {
#embed "../../../web/app/index.html"
};
static const unsigned char app_vars_css[] = {
#embed "../../../web/app/vars.css"
};
static const unsigned char bot_Api_js[] = {
#embed "../../../web/bot/Api.js"
};
static const unsigned char bot_Bot_css[] = {
#embed "../../../web/bot/Bot.css"
};
static const unsigned char bot_BotLogic_js[] = {
#embed "../../../web/bot/BotLogic.js"
};
static const unsigned char bot_app_js[] = {
#embed "../../../web/bot/app.js"
};
static const unsigned char bot_index_html[] = {
#embed "../../../web/bot/index.html"
};
static const unsigned char query_Completion_js[] = {
#embed "../../../web/query/Completion.js"
};
static const unsigned char query_ExplainLogic_js[] = {
#embed "../../../web/query/ExplainLogic.js"
};
static const unsigned char query_Explain_css[] = {
#embed "../../../web/query/Explain.css"
};
static const unsigned char query_ExpressionField_css[] = {
#embed "../../../web/query/ExpressionField.css"
};
static const unsigned char query_ExpressionField_js[] = {
#embed "../../../web/query/ExpressionField.js"
};
static const unsigned char query_Functions_js[] = {
#embed "../../../web/query/Functions.js"
};
static const unsigned char query_Graph_css[] = {
#embed "../../../web/query/Graph.css"
};
static const unsigned char query_Graph_js[] = {
#embed "../../../web/query/Graph.js"
};
static const unsigned char query_Heatmap_js[] = {
#embed "../../../web/query/Heatmap.js"
};
static const unsigned char query_Histogram_css[] = {
#embed "../../../web/query/Histogram.css"
};
static const unsigned char query_HistogramLogic_js[] = {
#embed "../../../web/query/HistogramLogic.js"
};
static const unsigned char query_HistogramPicture_js[] = {
#embed "../../../web/query/HistogramPicture.js"
};
static const unsigned char query_PlanTree_js[] = {
#embed "../../../web/query/PlanTree.js"
};
static const unsigned char query_PointView_js[] = {
#embed "../../../web/query/PointView.js"
};
static const unsigned char query_QueryLogic_js[] = {
#embed "../../../web/query/QueryLogic.js"
};
static const unsigned char query_QueryPage_css[] = {
#embed "../../../web/query/QueryPage.css"
};
static const unsigned char query_QueryPage_js[] = {
#embed "../../../web/query/QueryPage.js"
};
static const unsigned char query_QueryPanel_js[] = {
#embed "../../../web/query/QueryPanel.js"
};
static const unsigned char query_ResultTable_js[] = {
#embed "../../../web/query/ResultTable.js"
};
static const unsigned char query_SeriesText_js[] = {
#embed "../../../web/query/SeriesText.js"
};
static const unsigned char query_Suggestions_js[] = {
#embed "../../../web/query/Suggestions.js"
};
static const unsigned char rules_AlertsPage_js[] = {
#embed "../../../web/rules/AlertsPage.js"
};
static const unsigned char rules_RuleParts_js[] = {
#embed "../../../web/rules/RuleParts.js"
};
static const unsigned char rules_Rules_css[] = {
#embed "../../../web/rules/Rules.css"
};
static const unsigned char rules_RulesLogic_js[] = {
#embed "../../../web/rules/RulesLogic.js"
};
static const unsigned char rules_RulesPage_js[] = {
#embed "../../../web/rules/RulesPage.js"
};
static const unsigned char targets_TargetsLogic_js[] = {
#embed "../../../web/targets/TargetsLogic.js"
};
static const unsigned char targets_TargetsPage_css[] = {
#embed "../../../web/targets/TargetsPage.css"
};
static const unsigned char targets_TargetsPage_js[] = {
#embed "../../../web/targets/TargetsPage.js"
};

#if __has_embed("../../../web/vendor/uPlot.iife.js") == __STDC_EMBED_FOUND__ && __has_embed("../../../web/vendor/uPlot.min.css") == __STDC_EMBED_FOUND__
#define HAS_UPLOT
static const unsigned char vendor_uPlot_iife_js[] = {
#embed "../../../web/vendor/uPlot.iife.js"
};
static const unsigned char vendor_uPlot_min_css[] = {
#embed "../../../web/vendor/uPlot.min.css"
};
#endif

#define FILE(name, bytes) { name, bytes, sizeof(bytes) }

static const struct webfile files[] = {
    FILE("alertmanager/Addresses.js", alertmanager_Addresses_js),
    FILE("alertmanager/AffectedAlerts.js", alertmanager_AffectedAlerts_js),
    FILE("alertmanager/AlertGroup.js", alertmanager_AlertGroup_js),
    FILE("alertmanager/AlertsLogic.js", alertmanager_AlertsLogic_js),
    FILE("alertmanager/AlertsPage.css", alertmanager_AlertsPage_css),
    FILE("alertmanager/AlertsPage.js", alertmanager_AlertsPage_js),
    FILE("alertmanager/Api.js", alertmanager_Api_js),
    FILE("alertmanager/HistoryLogic.js", alertmanager_HistoryLogic_js),
    FILE("alertmanager/HistoryPage.css", alertmanager_HistoryPage_css),
    FILE("alertmanager/HistoryPage.js", alertmanager_HistoryPage_js),
    FILE("alertmanager/Labels.css", alertmanager_Labels_css),
    FILE("alertmanager/Labels.js", alertmanager_Labels_js),
    FILE("alertmanager/MatcherField.css", alertmanager_MatcherField_css),
    FILE("alertmanager/MatcherField.js", alertmanager_MatcherField_js),
    FILE("alertmanager/Matchers.js", alertmanager_Matchers_js),
    FILE("alertmanager/Refresh.js", alertmanager_Refresh_js),
    FILE("alertmanager/RouteTree.css", alertmanager_RouteTree_css),
    FILE("alertmanager/RouteTree.js", alertmanager_RouteTree_js),
    FILE("alertmanager/RoutesLogic.js", alertmanager_RoutesLogic_js),
    FILE("alertmanager/Shell.css", alertmanager_Shell_css),
    FILE("alertmanager/SilenceForm.css", alertmanager_SilenceForm_css),
    FILE("alertmanager/SilenceForm.js", alertmanager_SilenceForm_js),
    FILE("alertmanager/SilencesLogic.js", alertmanager_SilencesLogic_js),
    FILE("alertmanager/SilencesPage.css", alertmanager_SilencesPage_css),
    FILE("alertmanager/SilencesPage.js", alertmanager_SilencesPage_js),
    FILE("alertmanager/StatusPage.css", alertmanager_StatusPage_css),
    FILE("alertmanager/StatusPage.js", alertmanager_StatusPage_js),
    FILE("alertmanager/Times.js", alertmanager_Times_js),
    FILE("alertmanager/WhyLogic.js", alertmanager_WhyLogic_js),
    FILE("alertmanager/WhyPanel.css", alertmanager_WhyPanel_css),
    FILE("alertmanager/WhyPanel.js", alertmanager_WhyPanel_js),
    FILE("alertmanager/app.js", alertmanager_app_js),
    FILE("alertmanager/icon.svg", alertmanager_icon_svg),
    FILE("alertmanager/index.html", alertmanager_index_html),
    FILE("app/Api.js", app_Api_js),
    FILE("app/Dom.js", app_Dom_js),
    FILE("app/Preferences.js", app_Preferences_js),
    FILE("app/Settings.js", app_Settings_js),
    FILE("app/app.js", app_app_js),
    FILE("app/base.css", app_base_css),
    FILE("app/icon.svg", app_icon_svg),
    FILE("app/index.html", app_index_html),
    FILE("app/vars.css", app_vars_css),
    FILE("bot/Api.js", bot_Api_js),
    FILE("bot/Bot.css", bot_Bot_css),
    FILE("bot/BotLogic.js", bot_BotLogic_js),
    FILE("bot/app.js", bot_app_js),
    FILE("bot/index.html", bot_index_html),
    FILE("query/Completion.js", query_Completion_js),
    FILE("query/ExplainLogic.js", query_ExplainLogic_js),
    FILE("query/Explain.css", query_Explain_css),
    FILE("query/ExpressionField.css", query_ExpressionField_css),
    FILE("query/ExpressionField.js", query_ExpressionField_js),
    FILE("query/Functions.js", query_Functions_js),
    FILE("query/Graph.css", query_Graph_css),
    FILE("query/Graph.js", query_Graph_js),
    FILE("query/Heatmap.js", query_Heatmap_js),
    FILE("query/Histogram.css", query_Histogram_css),
    FILE("query/HistogramLogic.js", query_HistogramLogic_js),
    FILE("query/HistogramPicture.js", query_HistogramPicture_js),
    FILE("query/PlanTree.js", query_PlanTree_js),
    FILE("query/PointView.js", query_PointView_js),
    FILE("query/QueryLogic.js", query_QueryLogic_js),
    FILE("query/QueryPage.css", query_QueryPage_css),
    FILE("query/QueryPage.js", query_QueryPage_js),
    FILE("query/QueryPanel.js", query_QueryPanel_js),
    FILE("query/ResultTable.js", query_ResultTable_js),
    FILE("query/SeriesText.js", query_SeriesText_js),
    FILE("query/Suggestions.js", query_Suggestions_js),
    FILE("rules/AlertsPage.js", rules_AlertsPage_js),
    FILE("rules/RuleParts.js", rules_RuleParts_js),
    FILE("rules/Rules.css", rules_Rules_css),
    FILE("rules/RulesLogic.js", rules_RulesLogic_js),
    FILE("rules/RulesPage.js", rules_RulesPage_js),
    FILE("targets/TargetsLogic.js", targets_TargetsLogic_js),
    FILE("targets/TargetsPage.css", targets_TargetsPage_css),
    FILE("targets/TargetsPage.js", targets_TargetsPage_js),
#ifdef HAS_UPLOT
    FILE("vendor/uPlot.iife.js", vendor_uPlot_iife_js),
    FILE("vendor/uPlot.min.css", vendor_uPlot_min_css),
#endif
};

const struct webfile *webfiles_all(size_t *count) {
    *count = sizeof(files) / sizeof(files[0]);
    return files;
}
