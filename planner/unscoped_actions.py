"""Which actions may be allowed on every resource, because they know none."""

from __future__ import annotations

_ACTIONS = {
    "athena": "ListDataCatalogs ListWorkGroups",
    "batch": "DescribeJobDefinitions DescribeJobQueues DescribeJobs ListJobs",
    "bedrock": "ListCustomModels ListFoundationModels ListInferenceProfiles",
    "cloudformation": "ListExports ListStacks",
    "cloudtrail": "DescribeTrails ListTrails LookupEvents",
    "cloudwatch": "GetMetricData GetMetricStatistics ListDashboards ListMetrics PutMetricData",
    "comprehend": "BatchDetectDominantLanguage BatchDetectEntities BatchDetectKeyPhrases BatchDetectSentiment "
    "ContainsPiiEntities DetectDominantLanguage DetectEntities DetectKeyPhrases DetectPiiEntities DetectSentiment",
    "dynamodb": "DescribeEndpoints DescribeLimits ListBackups ListStreams ListTables",
    "ec2": "DescribeAvailabilityZones DescribeInstances DescribeRegions DescribeSecurityGroups DescribeSubnets "
    "DescribeTags DescribeVpcs",
    "ecr": "GetAuthorizationToken",
    "elasticmapreduce": "ListClusters RunJobFlow",
    "events": "ListRules",
    "firehose": "ListDeliveryStreams",
    "glue": "GetClassifiers GetCrawlers GetJobs GetTriggers ListCrawlers ListJobs ListRegistries",
    "kinesis": "DescribeLimits ListStreams",
    "kms": "GenerateRandom ListAliases ListKeys",
    "lakeformation": "GetDataAccess",
    "lambda": "ListFunctions ListLayers",
    "logs": "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeQueries DescribeResourcePolicies "
    "GetLogDelivery ListLogDeliveries ListLogGroups PutResourcePolicy UpdateLogDelivery",
    "organizations": "DescribeOrganization ListAccounts",
    "polly": "DescribeVoices SynthesizeSpeech",
    "pricing": "DescribeServices GetAttributeValues GetProducts ListPriceLists",
    "redshift-data": "CancelStatement DescribeStatement GetStatementResult ListStatements",
    "rekognition": "CompareFaces DetectFaces DetectLabels DetectText RecognizeCelebrities",
    "s3": "ListAllMyBuckets",
    "secretsmanager": "GetRandomPassword ListSecrets",
    "ses": "GetSendQuota GetSendStatistics ListIdentities",
    "sns": "ListSubscriptions ListTopics",
    "sqs": "ListQueues",
    "ssm": "DescribeParameters",
    "states": "ListActivities ListStateMachines",
    "sts": "GetCallerIdentity",
    "tag": "GetResources GetTagKeys GetTagValues",
    "textract": "AnalyzeDocument AnalyzeExpense AnalyzeID DetectDocumentText GetDocumentAnalysis "
    "GetDocumentTextDetection StartDocumentAnalysis StartDocumentTextDetection",
    "timestream": "DescribeEndpoints ListDatabases",
    "transcribe": "ListTranscriptionJobs StartTranscriptionJob",
    "translate": "ListLanguages TranslateText",
    "xray": "GetSamplingRules GetSamplingTargets PutTelemetryRecords PutTraceSegments",
}
"""Actions that steps of a data pipeline have a use for and that know no resources, or work without any (Service
Authorization Reference, November 2026)."""


def is_unscoped(action: str) -> bool:
    """Whether an action (``s3:ListAllMyBuckets``) is known to work on no resource that could be named."""
    service, _, name = action.partition(":")
    return name.lower() in _ACTIONS.get(service, "").lower().split()
