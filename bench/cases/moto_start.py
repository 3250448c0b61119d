"""The baseline of first_step_moto: a bare process that imports boto3 and moto's server and makes one bucket on it."""

import json
import subprocess
import sys
import time

CODE = """
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
url = "http://%s:%s" % server.get_host_and_port()
s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
s3.create_bucket(Bucket="bench")
"""
started = time.time()
subprocess.run([sys.executable, "-W", "ignore", "-c", CODE], check=True, capture_output=True)
print(json.dumps({"seconds": time.time() - started}))
